"""Whether the traceback in a log is the one that ended the program, or of an error that the program handled."""

from __future__ import annotations

import ast
import os
import re

from .raised import Block, Raised

# Written in front of the traceback of what did not end the program itself.
ELSEWHERE = re.compile(
    r'Exception in thread |Exception ignored in|Task exception was never retrieved|Exception in callback |'
    r'Future exception was never retrieved|Process \S*Process-\d+|Error in atexit|Error in sys\.excepthook|'
    r'future: <|handle: <|task: <|Unhandled exception in '
)
LOGGED = re.compile(
    r'\b(?:ERROR|WARNING|WARN|CRITICAL|EXCEPTION|FATAL|INFO|DEBUG|SEVERE)\b|"level"|\[error\]|\berror:', re.I
)
RUNPY = re.compile(r'<frozen runpy>$|/runpy\.py$')
MOST_SOURCE = 1 << 20
# `except*` is of Python 3.11.
TRIES: tuple[type[ast.Try], ...] = (ast.Try, getattr(ast, 'TryStar', ast.Try))


def elsewhere(block: Block) -> bool:
    """Whether it ended a thread, a task or another process, or was raised where nothing can be raised to."""
    return bool(ELSEWHERE.match(block.before.strip()))


def logged(block: Block) -> bool:
    """Whether the line in front of it is a record of a logger, as `logging.exception` leaves it."""
    return bool(LOGGED.search(block.before)) and not elsewhere(block)


def uncaught(block: Block, root: str) -> bool:
    """Whether nothing in the program can have caught it. `root` is the folder that the job ran in.

    A traceback begins at the frame that caught the exception. Only an exception that nothing caught, or the code of a
    module itself, shows the module's frame; whether that code can have caught it stands in the source.
    """
    frames = _outermost(block.raised)
    if elsewhere(block):
        return False
    if not frames:
        return not logged(block)
    file, line, function = frames[0]
    if RUNPY.search(file):
        return True
    return function == '<module>' and not _handled(os.path.join(root, file), line, block.raised)


def _outermost(raised: Raised) -> list[tuple[str, int, str]]:
    """The frames of the exception, or of the first part that has some: a group that was never raised has none."""
    if raised.frames or not raised.parts:
        return raised.frames
    return next((part.frames for part in raised.parts if part.frames), [])


def _handled(path: str, line: int, raised: Raised) -> bool:
    """Whether the module's line stands in a `try` that may catch the exception and does not raise it again."""
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            tree = ast.parse(file.read(MOST_SOURCE))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    inside = [
        node
        for node in ast.walk(tree)
        if isinstance(node, TRIES) and node.handlers and _first(node.body) <= line <= _last(node.body)
    ]
    return any(_may_catch(handler, raised) for node in inside for handler in node.handlers)


def _first(body: list[ast.stmt]) -> int:
    return body[0].lineno


def _last(body: list[ast.stmt]) -> int:
    return body[-1].end_lineno or body[-1].lineno


def _may_catch(handler: ast.ExceptHandler, raised: Raised) -> bool:
    if any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler)):
        return False
    if handler.type is None:
        return True
    wanted = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = [node.id if isinstance(node, ast.Name) else getattr(node, 'attr', '') for node in wanted]
    return any(_is_a(raised.short, name) for name in names)


def _is_a(short: str, name: str) -> bool:
    """Whether an exception of type `short` may be caught by `name`; of types that are not Python's own it may."""
    import builtins

    own, other = getattr(builtins, short, None), getattr(builtins, name, None)
    if isinstance(own, type) and isinstance(other, type):
        return issubclass(own, other)
    if isinstance(own, type) != isinstance(other, type):
        # A library's type may be a kind of Exception, OSError, ValueError…; Python's own types are of no library.
        return other is not None
    return short == name or not isinstance(other, type)

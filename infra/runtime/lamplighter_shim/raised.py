"""Reads what Python prints about exceptions: tracebacks, chains, groups. Pure."""

from __future__ import annotations

import re

from .evidence import GAP

TRACEBACK = 'Traceback (most recent call last):'
CAUSE = 'The above exception was the direct cause of the following exception:'
CONTEXT = 'During handling of the above exception, another exception occurred:'
HEADER = re.compile(r'(.*?)Traceback \(most recent call last\):\s*$')
GROUP_HEADER = re.compile(r'(\s*)\+ Exception Group Traceback \(most recent call last\):\s*$')
GROUP = re.compile(r'(\s+)\| (\S.*)$')
RICH_HEADER = re.compile(r'\s*\u256d\u2500.*Traceback \(most recent call last\)')
FRAME = re.compile(r'\s*File "(.*)", line (\d+)(?:, in (.+))?\s*$')
RAISED = re.compile(r'([^\W\d][\w.<>]*)(?::(?: (.*)|\s*))?$')
PART = re.compile(r'-+ (?:\d+|\.\.\.) -+\s*$')
SYNTAX = re.compile(r'(?:SyntaxError|IndentationError|TabError)(?:: |$)')
# Lines that libraries add to a message without indenting them.
GOES_ON = re.compile(
    r'\[SQL:|\[parameters:|\[cached since|\[generated in|\(Background on this|For (?:further|more) information|Reason:|'
    r'HTTP response|(?:Error ?)?Code:|Message:|Content:|Inner error|Exception Details|Request ?Id:|Time:|LINE \d+:|'
    r'(?:DETAIL|HINT|CONTEXT|STATEMENT):|"""$|\s*\^+\s*$|\)$|\]$|\}$|'
    r'(?i:</?(?:!doctype|html|head|meta|title|link|style|script|body|center|h[1-6r]|p|div|address)\b)'
)
PAGE = re.compile(r'<(?:!doctype html|html)\b', re.I)
TITLE = re.compile(r'<title[^>]*>([^<]*\w[^<]*)', re.I)
MOST_LINES = 200
ITEM = re.compile(r'[-*\u2022] ')
WARNING = re.compile(r'\S.*:\d+: \w*Warning: ')


class Raised:
    """One exception as it was printed. `lines` is its message; `frames` are (file, line, function), first called in
    front; `before` is the exception that led to it, directly if `direct`; `parts` are those of a group."""

    __slots__ = ('before', 'direct', 'frames', 'lines', 'name', 'parts')

    def __init__(self, name: str, lines: list[str], frames: list[tuple[str, int, str]]) -> None:
        self.name, self.lines, self.frames = name, lines, frames
        self.before: Raised | None = None
        self.direct = False
        self.parts: list[Raised] = []

    @property
    def short(self) -> str:
        """The name of its type without modules and functions around it."""
        return self.name.rpartition('.')[2]

    @property
    def text(self) -> str:
        """The first line of the message that says something; those in front of it belong to it."""
        return self._first()[0]

    def _first(self) -> tuple[str, int]:
        """(text, the number of lines in it)."""
        said, count = '', 0
        for line in self.lines[:6]:
            said, count = f'{said} {line.strip()}'.strip(), count + 1
            if len(re.findall(r'[^\W\d_]', said)) > 3:
                break
        return said, count

    @property
    def headline(self) -> str:
        """`Type: text`. Of a page in HTML its title; of JSON over several lines all; behind a colon one line more."""
        said, count = self._first()
        if PAGE.match(said):
            title = TITLE.search(' '.join(self.lines[:MOST_LINES]))
            said = title[1].strip() if title else said
        elif self.lines and self.lines[0].rstrip().endswith(('{', '[')):
            end = next((at for at, line in enumerate(self.lines) if line[:1] in ('}', ']')), len(self.lines))
            said = ' '.join(line.strip() for line in self.lines[: min(end + 1, MOST_LINES)])
        elif said.endswith(':'):
            said += ' ' + next((line.strip() for line in self.lines[count:MOST_LINES] if line.strip()), '')
        return f'{self.name}: {said.strip()}' if said else self.name


class Block:
    """A traceback with all that it is chained to. `at` and `end` are line numbers; `before` is the line in front."""

    __slots__ = ('at', 'before', 'end', 'raised')

    def __init__(self, at: int, end: int, raised: Raised, before: str) -> None:
        self.at, self.end, self.raised, self.before = at, end, raised, before


def blocks_of(lines: list[str]) -> list[Block]:
    """The tracebacks in a text, chains as one."""
    found: list[Block] = []
    at = 0
    while at < len(lines):
        block = _block(lines, at)
        if block is None:
            at += 1
            continue
        last = found[-1] if found else None
        link = _link(lines, last.end, at) if last else None
        if last and link:
            block.at, block.before = last.at, last.before
            first = block.raised
            while first.before:
                first = first.before
            first.before, first.direct = last.raised, link == CAUSE
            found[-1] = block
        else:
            found.append(block)
        at = block.end
    return found


def _link(lines: list[str], start: int, end: int) -> str | None:
    """What chains the traceback that ended before `start` to the one at `end`. Its message may have gone on unseen."""
    for at in range(end - 1, max(start, end - 4) - 1, -1):
        line = lines[at].strip()
        if line in (CAUSE, CONTEXT):
            return line
        if line:
            return None
    return None


def _block(lines: list[str], at: int) -> Block | None:
    line = lines[at]
    if 'Traceback (most' in line:
        if group := GROUP_HEADER.match(line):
            return _group_block(lines, at, len(group[1]))
        if header := HEADER.match(line):
            return _plain_block(lines, at, header[1])
        if RICH_HEADER.match(line):
            return _rich_block(lines, at)
    elif (bare := GROUP.match(line)) and RAISED.match(bare[2]) and _has_parts(lines, at, len(bare[1])):
        return _group_block(lines, at, len(bare[1]), first=0)
    elif line.startswith('  File "') and FRAME.match(line):
        # A syntax error of the script itself comes without a header.
        for then in range(at + 1, min(at + 6, len(lines))):
            if SYNTAX.match(lines[then]):
                return _ended(lines, at, then, _frames(lines[at:then]))
            if not lines[then].startswith(' '):
                break
    return None


def _plain_block(lines: list[str], at: int, prefix: str) -> Block | None:
    indent = prefix[: len(prefix) - len(prefix.lstrip())]
    then = at + 1
    if then >= len(lines) or not FRAME.match(lines[then]):
        return None
    while then < len(lines) and (lines[then].startswith(f'{indent} ') or GAP in lines[then - 1 : then + 1]):
        then += 1
    if indent:
        width = len(indent)
        dedented = [line[width:] if line.startswith(indent) else line for line in lines]
        return _ended(dedented, at, then, _frames(lines[at + 1 : then]))
    return _ended(lines, at, then, _frames(lines[at + 1 : then]))


def _ended(lines: list[str], at: int, then: int, frames: list[tuple[str, int, str]]) -> Block | None:
    """The block from line `at` whose exception is at line `then`."""
    match = RAISED.match(lines[then]) if then < len(lines) else None
    if not match:
        return None
    end = _message_end(lines, then)
    message = [match[2] or '', *lines[then + 1 : end]]
    return Block(at, end, Raised(match[1], message, frames), lines[at - 1] if at else '')


def _message_end(lines: list[str], then: int) -> int:
    """Where the message of the exception at line `then` ends: Python does not mark it, so by the shape of its lines."""
    end = at = then + 1
    if lines[then].rstrip().endswith(':'):
        at = next((n for n in range(at, min(at + 3, len(lines))) if lines[n].strip()), at)
        if at < len(lines) and not _over(lines[at]):
            end = at = at + 1
            while at < len(lines) and ITEM.match(lines[at]):
                end = at = at + 1
    while at < len(lines):
        line = lines[at]
        if line == GAP:
            # Of what goes on behind it only the last line of a message is known by its shape.
            at += 2
            end = min(at, len(lines))
        elif not line.strip():
            at += 1
        elif _over(line):
            break
        elif (
            line[0] in ' \t'
            or GOES_ON.match(line)
            or lines[at + 1 : at + 2] == [GAP]
            or (at + 1 < len(lines) and lines[at + 1][:1] in (' ', '\t'))
        ):
            at += 1
            end = at
        else:
            break
    return end


def _over(line: str) -> bool:
    """Whether the line cannot be of the message in front of it."""
    return line == GAP or bool(HEADER.match(line) or WARNING.match(line)) or line.strip() in (CAUSE, CONTEXT)


def _frames(lines: list[str]) -> list[tuple[str, int, str]]:
    found = filter(None, map(FRAME.match, lines))
    return [(match[1], int(match[2]), match[3] or '<module>') for match in found]


def _rich_block(lines: list[str], at: int) -> Block | None:
    """As the library rich draws it: a box, and below it the exception."""
    then = at + 1
    while then < len(lines) and lines[then].lstrip()[:1] in ('\u2502', '\u2570'):
        then += 1
    return _ended(lines, at, then, [])


def _group_block(lines: list[str], at: int, column: int, first: int = 1) -> Block | None:
    end = at + first
    while end < len(lines):
        # A line end in the message of a group breaks its margin; it goes on within three lines, or is over.
        inside = next((n for n in range(end, min(end + 3, len(lines))) if _in_margin(lines[n], column)), None)
        if inside is None:
            break
        end = inside + 1
    raised = _group(lines[at + first : end], column)
    return Block(at, end, raised, lines[at - 1] if at else '') if raised else None


def _in_margin(line: str, column: int) -> bool:
    return not line[:column].strip() and line[column:].lstrip()[:1] in ('|', '+')


def _has_parts(lines: list[str], at: int, column: int) -> bool:
    """Whether what stands right of the margin at line `at` is a group that was not raised, and so has no header."""
    for line in lines[at + 1 : at + 30]:
        if line[column : column + 3] == '+-+':
            return True
        if line[column : column + 1] != '|':
            return False
    return False


def _group(lines: list[str], column: int) -> Raised | None:
    """The exception whose text stands right of a margin in `column`, with its parts two columns further and what it is
    chained to, which stands in front of it, with parts of its own."""
    own: list[str] = []
    parts: list[list[str]] = []
    before: Raised | None = None
    direct = False
    for line in lines:
        if line[column + 2 : column + 3] == '+' and PART.match(line[column + 3 :]):
            parts.append([])
        elif line[column : column + 1] == '|':
            text = line[column + 2 :]
            if text.strip() in (CAUSE, CONTEXT):
                before = _built(own, parts, column, before, direct) or before
                own, parts, direct = [], [], text.strip() == CAUSE
            else:
                own.append(text)
        elif parts:
            parts[-1].append(line)
    return _built(own, parts, column, before, direct) or before


def _built(own: list[str], parts: list[list[str]], column: int, before: Raised | None, direct: bool) -> Raised | None:
    text = own if any(HEADER.match(line) for line in own) else [TRACEBACK, *own]
    found = blocks_of(text)
    raised = found[-1].raised if found else _bare(own)
    if raised is None:
        return None
    raised.lines = [line for line in raised.lines if not line.startswith(TRACEBACK)]
    raised.before, raised.direct = before, direct
    for part in parts:
        inner = _group(part, column + 2)
        if inner:
            raised.parts.append(inner)
    return raised


def _bare(lines: list[str]) -> Raised | None:
    """An exception that was never raised, or has no frames: its type and message alone."""
    for at, line in enumerate(lines):
        if match := RAISED.match(line):
            return Raised(match[1], [match[2] or '', *lines[at + 1 :]], [])
    return None

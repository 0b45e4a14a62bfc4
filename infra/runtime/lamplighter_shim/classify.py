"""Why a job failed: from its tracebacks as blocks, then from what it wrote after them, then from its exit code. A cause
is read from structure, not from words. Reads the job's source, nothing else."""

from __future__ import annotations

import re

from .caught import elsewhere, logged, uncaught
from .evidence import GAP
from .fingerprint import fingerprint, host_of
from .kinds import judge, of_errno, of_status, parts_of
from .lastline import last_line
from .raised import TRACEBACK, Block, Raised, blocks_of
from .signals import signal_name
from .status import status_in

DETAIL_LINES = 40
DETAIL_BYTES = 4096
LONGEST = 1000
MOST_PARTS = 5
PARTS = re.compile(r'\((\d{1,9}) sub-exceptions?\)')
ESCAPES = re.compile(r'\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)')
DEPENDENCY = frozenset(('network', 'server', 'throttled', 'authorization'))
PYTHON_CANNOT = re.compile(r"can't (?:open file|find '__main__')|No module named ")
NOT_FOUND = re.compile(r'not found|No such file|Permission denied|cannot execute|Exec format error', re.I)
VARIABLE = re.compile(r'\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b')
# Said of a variable alone; a table or a sheet is missing, too.
NOT_SET = re.compile(r'\W{0,2}(?: (?:is|was|are))? (?:not set|unset|must be set|needs to be set)\b', re.I)
MISSING = re.compile(
    r'\b(?:not set|missing|required|undefined|not defined|not found|must (?:be )?set|unset|empty)\b', re.I
)
ENVIRONMENT = re.compile(r'\benv(?:ironment)? ?var(?:iable)?s?\b', re.I)
PYTHONS = re.compile(r'(?:.*/)?(?:python[\d.]*|uv|uvx|poetry|pipenv|pdm|hatch)$')
CRASHES = frozenset(('SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGSYS'))


class Verdict:
    """A class of errors, one line for people, details, and what incidents are grouped by."""

    __slots__ = ('detail', 'error_class', 'fingerprint', 'host', 'kind', 'message', 'parts')

    def __init__(self, error_class: str, kind: str, message: str, detail: str) -> None:
        self.error_class, self.kind, self.message, self.detail = error_class, kind, shorten(message, LONGEST), detail
        self.parts: list[str] = []
        self.fingerprint = ''
        self.host: str | None = None


class Job:
    """What is known of the job besides its output: its command, its folder, the names in its environment."""

    __slots__ = ('command', 'root', 'variables')

    def __init__(self, command: list[str], root: str, variables: frozenset[str]) -> None:
        self.command, self.root, self.variables = command, root, variables

    @property
    def is_python(self) -> bool:
        """Whether the exit code is Python's own, not that of a shell around it."""
        return bool(self.command) and bool(PYTHONS.match(self.command[0]))


NO_JOB = Job(['python'], '', frozenset())


def classify(
    exit_code: int | None,
    signal: str | None,
    said: str,
    job: Job = NO_JOB,
    starved: bool = False,
    memory_limit: int | None = None,
) -> Verdict:
    """The Verdict on a job that failed by itself.

    `exit_code` or `signal` (its name) is None; `said` is what Evidence has kept of the redacted output; `starved`: the
    kernel has killed for memory meanwhile, because of `memory_limit` in bytes where that is known.
    """
    lines = _clean_lines(said)
    blocks = blocks_of(lines)
    block, after = _cause(blocks, lines, exit_code, job)
    raised = block.raised if block else None
    text = last_line(after)
    verdict = _by_kernel(exit_code, signal, raised, starved, memory_limit, job, text)
    if verdict is None and raised is not None:
        verdict = Verdict(*(_unset(raised, job) or judge(raised)), headline(raised), '')
        verdict.parts = parts_of(raised)
    if verdict is None:
        verdict = _by_exit(exit_code or 0, text, job)
    verdict.detail = _detail(lines, block, after)
    verdict.fingerprint = fingerprint(verdict.error_class, raised, verdict.message, job.root)
    if {verdict.error_class, *verdict.parts} & DEPENDENCY or verdict.kind == 'tls':
        verdict.host = host_of(raised, '' if raised else text)
    return verdict


def suspect(said: str, job: Job = NO_JOB) -> Verdict | None:
    """The error that a job with exit code 0 may have overlooked: one that ended a thread or task, one that was printed
    without a word, or one after which nothing followed. None: nothing looks unhandled."""
    lines = _clean_lines(said)
    blocks = blocks_of(lines)
    for block in reversed(blocks):
        followed = block is not blocks[-1] or last_line(lines[block.end :])
        if elsewhere(block) or not logged(block) or not followed:
            verdict = Verdict(*judge(block.raised), headline(block.raised), _detail(lines, block, []))
            verdict.fingerprint = fingerprint(verdict.error_class, block.raised, verdict.message, job.root)
            return verdict
    return None


def _cause(blocks: list[Block], lines: list[str], exit_code: int | None, job: Job) -> tuple[Block | None, list[str]]:
    """(the traceback that says why the job ended, or None; the lines after the last one)."""
    after = lines[blocks[-1].end :] if blocks else lines
    # Python ends with 1 for an exception that nothing caught; what follows its traceback is of exit handlers.
    if exit_code == 1 and job.is_python:
        for block in reversed(blocks):
            if uncaught(block, job.root):
                return block, after
    if not blocks or last_line(after):
        return None, after
    own = [block for block in blocks if not elsewhere(block)]
    return (own or blocks)[-1], after


def _unset(raised: Raised, job: Job) -> tuple[str, str] | None:
    """By a variable that the exception asks for as one of the environment, and that the job does not have."""
    absent = [name for name in VARIABLE.findall(raised.text) if name not in job.variables]
    if absent and not raised.parts and ENVIRONMENT.search(raised.text):
        return 'configuration', 'config-missing'
    return None


def _by_kernel(
    exit_code: int | None,
    signal: str | None,
    raised: Raised | None,
    starved: bool,
    memory_limit: int | None,
    job: Job,
    text: str,
) -> Verdict | None:
    """The Verdict on a job that was killed, or None."""
    shot = signal == 'SIGKILL' or exit_code == 137
    if starved or (shot and raised and raised.short == 'MemoryError'):
        limit = f' (limit {_size(memory_limit)})' if memory_limit else ''
        message = f'out of memory{limit}: give the job more (run.memory), or let it load less'
        return Verdict('memory', 'memory-kill', message, '')
    if shot:
        return Verdict('killed', 'killed', 'killed by SIGKILL, which Lamplighter did not send', '')
    if signal:
        return Verdict('killed', _kind_of(signal), f'killed by {signal}', '')
    # A shell passes on that a signal ended its program as 128 and the signal's number.
    if exit_code and 128 < exit_code <= 192 and raised is None and not job.is_python:
        name = signal_name(exit_code - 128)
        return Verdict(
            'killed', _kind_of(name), f'exit code {exit_code}: killed by {name}' + (f': {text}' if text else ''), ''
        )
    return None


def _kind_of(signal: str) -> str:
    if signal in CRASHES:
        return 'crash'
    return {'SIGINT': 'interrupted', 'SIGTERM': 'terminated'}.get(signal, 'killed')


def _by_exit(exit_code: int, text: str, job: Job) -> Verdict:
    """The Verdict on an exit code and the text before it. Own words are the application's, unless they hold a status,
    the number of a system's error, or the name of a variable that is not there."""
    if exit_code in (1, 2) and PYTHON_CANNOT.search(text) and (exit_code == 2 or ': No module named ' in text):
        message = re.sub(r"^.*?: (?=can't)", '', text) if exit_code == 2 else text.rpartition(': ')[2]
        return Verdict('module', 'script-missing', message, '')
    message = f'exit code {exit_code}' + (f': {text}' if text else '')
    if exit_code in (126, 127) and (not job.is_python or NOT_FOUND.search(text)):
        why = 'a program could not be executed' if exit_code == 126 else 'a program was not found'
        return Verdict('module', 'command-not-found', message if text else f'{message}: {why}', '')
    absent = [match for match in VARIABLE.finditer(text) if match[0] not in job.variables]
    of_environment = ENVIRONMENT.search(text) and MISSING.search(text)
    if absent and (of_environment or any(NOT_SET.match(text, match.end()) for match in absent)):
        return Verdict('configuration', 'config-missing', message, '')
    status = status_in(text)
    found = of_status(status) if status else of_errno(text)
    error_class, kind = found or ('application', 'exit')
    return Verdict(error_class, kind, message, '')


def headline(raised: Raised) -> str:
    """`Type: first line`, of a group with its parts."""
    said = shorten(raised.headline, 600 if raised.parts else LONGEST)
    if raised.parts:
        named = raised.parts[:MOST_PARTS]
        room = min(200, (LONGEST - len(said) - 30) // len(named) - 2)  # so that the count at the end stays
        parts = [shorten(part.headline if not part.parts else headline(part), room) for part in named]
        more = _count(raised) - len(parts)
        said += ': ' + '; '.join([*parts, *([f'and {more} more'] if more > 0 else [])])
    elif raised.parts == [] and raised.direct and raised.before and raised.before.parts:
        said += f' \u2190 {headline(raised.before)}'
    return said


def _count(raised: Raised) -> int:
    """How many parts the group has. Python prints 15 of them, and the middle of a long output is not kept."""
    counts = PARTS.findall('\n'.join(raised.lines))
    return max(int(counts[-1]) if counts else 0, len(raised.parts))


def shorten(text: str, most: int) -> str:
    """One line of at most `most` characters; `…` marks what is cut off."""
    line = ' '.join(text.split())
    return line if len(line) <= most else f'{line[: most - 1]}\u2026'


def _size(count: int) -> str:
    for unit, one in (('Gi', 1 << 30), ('Mi', 1 << 20)):
        if count >= one:
            return f'{count / one:.4g}{unit}'
    return f'{count} bytes'


def _clean_lines(said: str) -> list[str]:
    lines: list[str] = []
    for line in ESCAPES.sub('', said).split('\n'):
        lines += _of_json(line) if line.startswith('{') and TRACEBACK in line else [line.rstrip('\r')]
    return lines


def _of_json(line: str) -> list[str]:
    """A log record in JSON that holds a traceback, as `logging` would have written it."""
    import json

    try:
        values = json.loads(line).values()
    except (ValueError, RecursionError):
        return [line]
    for value in values:
        if isinstance(value, str) and TRACEBACK in value:
            return ['ERROR: a record in JSON', *value.rstrip().split('\n')]
    return [line]


def _detail(lines: list[str], block: Block | None, after: list[str]) -> str:
    """The end of the traceback's frames, its exception and the beginning of its message; without one the last lines."""
    if block is None:
        kept = [line for line in (after if any(map(str.strip, after)) else lines) if line != GAP]
        while kept and not kept[-1].strip():
            kept = kept[:-1]
        return _fitting(kept[-DETAIL_LINES:], last=True)
    kept = [line for line in lines[block.at : block.end] if line != GAP]
    if len(kept) > DETAIL_LINES or sum(map(len, kept)) > DETAIL_BYTES - 200:
        name = block.raised.name
        at = next((n for n in range(len(kept) - 1, -1, -1) if kept[n].lstrip(' |').startswith(name)), len(kept) - 1)
        kept = [
            *_fitting(kept[max(at - DETAIL_LINES + 12, 0) : at], last=True, room=2400).split('\n'),
            *kept[at : at + 12],
        ]
    return _fitting([shorten_line(line) for line in kept], last=False)


def shorten_line(line: str) -> str:
    return line if len(line) <= LONGEST else f'{line[: LONGEST - 1]}\u2026'


def _fitting(lines: list[str], last: bool, room: int = DETAIL_BYTES) -> str:
    """The last or first of these lines that fit into `room` bytes."""
    data = '\n'.join(lines).encode('utf-8', 'replace')
    if len(data) > room:
        data = data[-room:] if last else data[:room]
    return data.decode('utf-8', 'ignore')

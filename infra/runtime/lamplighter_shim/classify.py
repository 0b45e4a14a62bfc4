"""Why a job failed, from how it ended and what it said last. Pure."""

import re

DETAIL_LINES = 20
DETAIL_BYTES = 4096
TRACEBACK = 'Traceback (most recent call last):'
LAST_LINE = re.compile(r'([A-Za-z_][\w.]*?)(?:: (.*))?$')
PYTHON_CANNOT = re.compile(r"can't (?:open file|find '__main__')|No module named ")
MISSING_SETTING = re.compile(
    r'(?:environment variable|env(?:ironment)? var|setting|secret)\b.{0,80}\b(?:not set|missing|required|undefined|not '
    r'defined|not found)|(?:missing|required|no such) environment variable|must set .{0,60}environment variable',
    re.I,
)
SYNTAX = frozenset(('SyntaxError', 'IndentationError', 'TabError'))
MODULE = frozenset(('ModuleNotFoundError', 'ImportError'))
STATUS = re.compile(
    r'(?:\b(?:HTTP(?:/\d(?:\.\d)?)?|status(?:[ _]code)?|error(?: code)?|code|response)\b\D{0,12}|^|\()'
    r'([45]\d\d)\b|\b([45]\d\d)\b (?:Client|Server) Error',
    re.I,
)
HTTP_LIKE = re.compile(r'http|status|response|api|client|server|request', re.I)
AUTHORIZATION = re.compile(
    r'Authenti|Authoriz|Unauthorized|Forbidden|PermissionDenied|invalid (?:api key|credentials)', re.I
)
THROTTLED = re.compile(r'RateLimit|Too ?Many ?Requests|Throttl', re.I)
SERVER = re.compile(
    r'InternalServerError|ServiceUnavailable|BadGateway|GatewayTimeout|Service Unavailable|Bad Gateway', re.I
)
NETWORK = re.compile(
    r'Connection\w*Error|Connect(?:ion|Read|Write)?Timeout|Timeout|timed out|gaierror|URLError|SSL\w*Error|SSLError|'
    r'BrokenPipe|RemoteDisconnected|IncompleteRead|ProtocolError|Name or service not known|Network is unreachable|'
    r'Connection (?:refused|reset|aborted)|ConnectError|ReadError|MaxRetryError|APIConnection|ServiceRequestError',
    re.I,
)


def classify(exit_code, signal, said, out_of_memory=False, memory_limit=None):
    """(error class, message, detail) of a job that failed by itself.

    `exit_code` or `signal` (its name) is None; `said` is the end of the redacted log as text; `out_of_memory`: the
    kernel has killed for memory meanwhile, because of `memory_limit` in bytes where that is known.
    """
    lines = _clean_lines(said)
    trace, last = _last_traceback(lines)
    detail = _detail(trace or lines)
    name = LAST_LINE.match(last) if last else None
    short = name.group(1).rpartition('.')[2] if name else ''
    if out_of_memory or (short == 'MemoryError' and (signal == 'SIGKILL' or exit_code == 137)):
        limit = f' (limit {_size(memory_limit)})' if memory_limit else ''
        return 'memory', f'out of memory{limit}: give the job more (run.memory), or let it load less', detail
    if signal == 'SIGKILL' or exit_code == 137:
        return 'killed', 'killed by SIGKILL, which Lamplighter did not send', detail
    if signal:
        return 'killed', f'killed by {signal}', detail
    if last:
        return _of_exception(short, last, trace), last[:1000], detail
    final = next((line for line in reversed(lines) if line.strip()), '')
    if exit_code == 2 and PYTHON_CANNOT.search(final):
        return 'module', re.sub(r'^.*?: (?=can\'t)', '', final)[:1000], detail
    if exit_code == 1 and ': No module named ' in final:
        return 'module', final.rpartition(': ')[2][:1000], detail
    if exit_code in (126, 127):
        return 'module', f'exit code {exit_code}: {final}'[:1000], detail
    message = f'exit code {exit_code}' + (f': {final.strip()}' if final.strip() else '')
    return _of_words('', final) or 'application', message[:300], detail


def _size(count):
    for unit, one in (('Gi', 1 << 30), ('Mi', 1 << 20)):
        if count >= one:
            return f'{count / one:.4g}{unit}'
    return f'{count} bytes'


def _of_exception(short, last, trace):
    if short in SYNTAX:
        return 'syntax'
    if short in MODULE:
        return 'module'
    if short == 'MemoryError':
        return 'memory'
    frames = ''.join(line for line in trace[-8:-1] if line.startswith('  '))
    if short == 'KeyError' and re.search(
        r'os\.environ|\benviron\b|, in __getitem__\s+raise KeyError\(key\) from', frames
    ):
        return 'configuration'
    return _of_words(short, last) or 'application'


def _of_words(short, text):
    """The class that the name of an exception or the words of a message speak for, or None."""
    if MISSING_SETTING.search(text):
        return 'configuration'
    status = STATUS.search(text) if not short or HTTP_LIKE.search(text) else None
    code = int(next(filter(None, status.groups()))) if status else 0
    if code in (401, 403) or (short != 'PermissionError' and AUTHORIZATION.search(text)):
        return 'authorization'
    if code == 429 or THROTTLED.search(text):
        return 'throttled'
    if 500 <= code <= 599 or SERVER.search(text):
        return 'server'
    if short == 'KeyError' or not NETWORK.search(text):
        return None
    return 'network'


def _clean_lines(said):
    text = re.sub(r'\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)', '', said)
    return [line.rstrip('\r') for line in text.split('\n')]


def _last_traceback(lines):
    """(lines of the last traceback, its last line), or ([], ''). Of chained exceptions the last one counts.

    Output may follow a traceback, so its end is found by shape: frames are indented, the final line is not.
    A traceback that the program went on after for long is an old story: only the last 200 lines are looked at.
    """
    lines = lines[-200:]
    starts = [i for i, line in enumerate(lines) if TRACEBACK in line]
    at = starts[-1] + 1 if starts else next((i for i in reversed(range(len(lines))) if _script_frame(lines, i)), None)
    if at is None:
        return [], ''
    first = at - 1 if starts else at
    while at < len(lines) and (lines[at].startswith((' ', '\t')) or not lines[at].strip()):
        at += 1
    if at >= len(lines) or not LAST_LINE.match(lines[at]):
        return [], ''
    until = at + 1
    while until < len(lines) and lines[until].strip() and until - at < 5:
        until += 1
    return lines[first:until], lines[at].strip()


def _script_frame(lines, at):
    """A SyntaxError of the script itself comes without the word Traceback: `  File "x.py", line 3`."""
    return lines[at].startswith('  File "') and any(line.partition(':')[0] in SYNTAX for line in lines[at + 1 : at + 6])


def _detail(lines):
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    text = '\n'.join(lines[-DETAIL_LINES:])
    data = text.encode('utf-8', 'replace')
    return text if len(data) <= DETAIL_BYTES else data[-DETAIL_BYTES:].decode('utf-8', 'ignore')

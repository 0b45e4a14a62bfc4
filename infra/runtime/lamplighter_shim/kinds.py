"""What kind of failure an exception is, by its type, and by what in its text has a form of its own: a status, an errno,
an error code of a service or database. Plain words count for nothing. Pure."""

from __future__ import annotations

import re

from .codes import by_code
from .raised import Raised
from .status import status_in

BY_STATUS = {401: ('authorization', 'auth-401'), 403: ('authorization', 'auth-403'), 404: ('application', 'remote-404')}
BY_STATUS |= {407: ('authorization', 'auth'), 408: ('network', 'network-timeout'), 429: ('throttled', 'rate-limit')}
TOO_MUCH = re.compile(r'rate.?limit|too many requests|throttl|quota exceeded', re.I)
ERRNO = re.compile(r'\[(?:Errno|WinError) (-?\d+)\]|\bErrno (\d+)\b|^Error (\d+) connecting to ')
NETWORK_ERRNO = {-2: 'dns', -3: 'dns', -5: 'dns', 11001: 'dns', 111: 'network-refused', 61: 'network-refused'}
NETWORK_ERRNO |= {110: 'network-timeout', 60: 'network-timeout', 10060: 'network-timeout', 10061: 'network-refused'}
NETWORK_ERRNO |= dict.fromkeys((32, 54, 101, 103, 104, 107, 112, 113, 10054), 'network')
FILE_ERRNO = {13: 'file-permission', 1: 'file-permission', 2: 'file-not-found', 17: 'file-not-found'}
FILE_ERRNO |= {20: 'file-not-found', 21: 'file-not-found', 28: 'disk-full', 122: 'disk-full', 30: 'readonly-fs'}
# As `repr` has them inside the text of another: "(Caused by NewConnectionError(…". They come from the library.
CAUSED_BY = re.compile(r'\(Caused by (?:[\w.]*\.)?(\w+)\(')

POOL = re.compile(r'\bHTTPS?ConnectionPool\(host=')

BY_NAME: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), error_class, kind)
    for pattern, error_class, kind in (
        (r'^(?:SyntaxError|IndentationError|TabError)$', 'syntax', 'syntax'),
        (r'ModuleNotFoundError$|PackageNotFoundError$', 'module', 'dependency-missing'),
        (r'^(?:Zip)?ImportError$', 'module', 'dependency-mismatch'),
        (r'MemoryError$|_ArrayMemoryError$|OutOfMemoryError$', 'memory', 'memory'),
        (
            r'ImproperlyConfigured$|UndefinedValueError$|Env(?:Validation)?Error$|SettingsError$|NoRegionError$|'
            r'NoCredentialsError$|PartialCredentialsError$|ProfileNotFound$|ConfigNotFound$|MissingEnv\w*$',
            'configuration',
            'config-missing',
        ),
        (r'SSLCertVerificationError$|CertificateError$|ClientConnectorCertificateError$', 'configuration', 'tls'),
        (r'Throttl|RateLimit|TooManyRequests|ResourceExhausted|SlowDown|QuotaExceeded', 'throttled', 'rate-limit'),
        (
            r'Unauthori[sz]ed|Unauthenticated|NotAuthenticated|NotAuthori[sz]ed|Forbidden|AccessDenied|PermissionDenied|'
            r'Auth(?:entication|ori[sz]ation|n|z)?(?:Error|Exception|Failed|Failure|Required)$|'
            r'(?:Invalid|Bad|Expired|Unavailable)(?:Credential|Credentials|ApiKey|APIKey|Token)(?:Error|Exception)?$|'
            r'(?:Token|Credentials?)(?:Expired|Invalid|Unavailable|Refresh)(?:Error|Exception)?$|'
            r'^(?:RefreshError|LoginError|LoginFailed|InvalidGrantError|TokenRetrievalError)$',
            'authorization',
            'auth',
        ),
        (
            r'InternalServerError|ServiceUnavailable|BadGateway|GatewayTimeout|OverloadedError|^ServerError$',
            'server',
            'remote-5xx',
        ),
        (r'^gaierror$|^herror$|DNSError$|NameResolution\w*$|NXDOMAIN$', 'network', 'dns'),
        (r'ConnectionRefused\w*$', 'network', 'network-refused'),
        (r'^(?:TimeoutExpired|CalledProcessError)$', 'application', 'subprocess'),
        (
            r'^(?:Read|Write|Connect|Connection|Pool|API|ServerSelection|Network|Socket|Server|Request|Sock)?'
            r'Time(?:d)?out(?:Error|Exception)?$|^timeout$|ConnectTimeoutError$|ReadTimeoutError$|DeadlineExceeded$|'
            r'ServerSelectionTimeoutError$|LoginTimeout\w*$',
            'network',
            'network-timeout',
        ),
        (
            r'^(?:API|Endpoint|Broken|Http|HTTP|Client|Network|Proxy|Redis|NewConnection|Operational)?Connect(?:ion|or)?'
            r'(?:Reset|Aborted|Closed|Lost|Failed|DoesNotExist|Does)?(?:Error|Exception|Failure|OK)?$|^BrokenPipeError$|'
            r'^(?:URLError|RemoteDisconnected|IncompleteRead|MaxRetryError|ProtocolError|RemoteProtocolError|ReadError|'
            r'WriteError|NetworkError|TransportError|ServiceRequestError|ServiceResponseError|ServerDisconnectedError|'
            r'ServerConnectionError|ClientOSError|ClientPayloadError|ClientConnectionError|ClientConnector\w*Error|'
            r'ChunkedEncodingError|ProxyError|AutoReconnect|SMTPServerDisconnected|SMTPConnectError|NetworkTimeout|'
            r'NoValidConnectionsError|NotConnected|ConnectionClosed\w*|EndpointConnectionError|HTTPClientError|'
            r'ConnectionClosedError|NameResolutionError|NewConnectionError|CannotConnect\w*)$',
            'network',
            'network',
        ),
        (r'^SSL\w*(?:Error|Exception)$', 'network', 'network'),
        (r'JSONDecodeError$|InvalidJSONError$|ContentTypeError$', 'application', 'remote-bad-body'),
    )
)
SYNTAX_ERRORS = ('SyntaxError', 'IndentationError', 'TabError')
PLAIN = {
    **dict.fromkeys(('KeyError', 'ValidationError', 'SchemaError', 'SchemaErrors', 'ColumnNotFoundError'), 'schema'),
    **dict.fromkeys(
        [
            'TypeError',
            'ValueError',
            'AttributeError',
            'IndexError',
            'ZeroDivisionError',
            'NameError',
            'UnboundLocalError',
            'AssertionError',
            *SYNTAX_ERRORS,
            'RecursionError',
            'UnicodeDecodeError',
            'UnicodeEncodeError',
            'OverflowError',
            'ArithmeticError',
            'FloatingPointError',
            'LookupError',
            'StopIteration',
            'NotImplementedError',
            'ParserError',
            'OutOfBoundsDatetime',
        ],
        'data-or-code',
    ),
    **dict.fromkeys(
        ('FileNotFoundError', 'FileExistsError', 'IsADirectoryError', 'NotADirectoryError'), 'file-not-found'
    ),
    'PermissionError': 'file-permission',
}
DATABASE = re.compile(
    r'^(?:sqlalchemy\.exc|sqlite3|psycopg2?|pymysql|MySQLdb|mysql|pyodbc|oracledb|cx_Oracle|snowflake|duckdb|asyncpg|aiomysql)\b'
    r'|(?:^|\.)(?:OperationalError|ProgrammingError|IntegrityError|InterfaceError|DatabaseError)$'
)
SHADOWED = re.compile(r'partially initialized module|consider renaming')
CERTIFICATE = re.compile(r'CERTIFICATE_VERIFY_FAILED|certificate verify failed')
ENVIRONMENT_FRAME = re.compile(r'(?:^|/)os\.py$|^<frozen os>$')
SETTINGS_FRAME = re.compile(r'/(?:pydantic_settings|environs|decouple|dynaconf)\b')


def judge(raised: Raised) -> tuple[str, str]:
    """(error class, kind) of an exception, of its cause where it says nothing itself, or of a group's parts."""
    if raised.parts:
        return _of_group(raised)
    own = _own(raised)
    if own:
        return own
    before = raised.before
    if before and (raised.direct or _wraps(raised, before)):
        found = judge(before)
        if found[0] != 'application':
            return found
    return 'application', _plain_kind(raised)


def parts_of(raised: Raised) -> list[str]:
    """The classes of a group's parts, each once, in order; of what wraps it as well. Empty without a group."""
    if raised.parts:
        found: dict[str, None] = {}
        for part in raised.parts:
            found.update(dict.fromkeys(parts_of(part) or [judge(part)[0]]))
        return list(found)
    return parts_of(raised.before) if raised.before and raised.direct and not _own(raised) else []


# Of different parts the one counts that a retry helps least.
GRAVITY = [
    'syntax',
    'module',
    'configuration',
    'authorization',
    'memory',
    'application',
    'server',
    'throttled',
    'network',
]


def _of_group(raised: Raised) -> tuple[str, str]:
    found = [judge(part) for part in raised.parts]
    classes = {error_class for error_class, _ in found}
    gravest = min(classes, key=lambda name: GRAVITY.index(name) if name in GRAVITY else len(GRAVITY))
    kinds = {kind for _, kind in found}
    return gravest, kinds.pop() if len(kinds) == 1 else 'exception-group'


def _wraps(raised: Raised, before: Raised) -> bool:
    """Whether an exception raised in a handler only passes the handled one on: it repeats its text or its type."""
    return (len(before.text) >= 6 and before.text[:200] in ' '.join(raised.lines)) or before.short in raised.text


def _own(raised: Raised) -> tuple[str, str] | None:
    """What the exception itself says, or None when it may be anything of the application's."""
    text, short = raised.text, raised.short
    if SHADOWED.search(text) and short in ('ImportError', 'AttributeError'):
        return 'module', 'shadowed-module'
    if short == 'KeyError' and len(raised.frames) > 1 and ENVIRONMENT_FRAME.search(raised.frames[-1][0]):
        return 'configuration', 'config-missing'
    if short == 'ValidationError' and any(SETTINGS_FRAME.search(frame[0]) for frame in raised.frames):
        return 'configuration', 'config-missing'
    if short == 'KeyError':
        return None  # its text is a key
    if CERTIFICATE.search(text):
        return 'configuration', 'tls'
    code = status_in(text, raised.name)
    if code in (403, 429) and TOO_MUCH.search(text):
        return 'throttled', 'rate-limit'
    if code:
        return of_status(code)
    return by_code(raised) or of_errno(text) or _by_name(raised)


def of_status(code: int) -> tuple[str, str]:
    if code in BY_STATUS:
        return BY_STATUS[code]
    return ('server', 'remote-5xx') if code >= 500 else ('application', 'remote-4xx')


def of_errno(text: str) -> tuple[str, str] | None:
    """By the number of the system's error, as OSError writes it, or by what urllib3 writes of its connections."""
    for match in ERRNO.finditer(text):
        number = int(match[1] or match[2] or match[3])
        if number in NETWORK_ERRNO:
            return 'network', NETWORK_ERRNO[number]
        if number in FILE_ERRNO:
            return 'application', FILE_ERRNO[number]
        if number == 12:
            return 'memory', 'memory'
    if POOL.search(text):
        kind = 'network-timeout' if 'timed out' in text else 'dns' if 'Failed to resolve' in text else 'network'
        return 'network', kind
    return None


def _by_name(raised: Raised) -> tuple[str, str] | None:
    if raised.name in ('PermissionError', 'EnvironmentError') or _of_a_text(raised):
        return None
    named: tuple[str, str] | None = None
    for pattern, error_class, kind in BY_NAME:
        if pattern.search(raised.short):
            named = error_class, kind
            break
    inner = CAUSED_BY.search(raised.text) if named in (None, ('network', 'network')) else None
    if inner:
        for pattern, error_class, kind in BY_NAME:
            if pattern.search(inner[1]):
                return error_class, kind
    return named


def _of_a_text(raised: Raised) -> bool:
    """Whether it is an error in the syntax of a text that the script has read, such as for `ast.literal_eval`: the
    script itself is a file, or, in `python -c`, all there is."""
    return raised.short in SYNTAX_ERRORS and len(raised.frames) > 1 and raised.frames[-1][0].startswith('<')


def _plain_kind(raised: Raised) -> str:
    if kind := PLAIN.get(raised.short):
        return kind
    return 'database' if DATABASE.search(raised.name) else 'exception'

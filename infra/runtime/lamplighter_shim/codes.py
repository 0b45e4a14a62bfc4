"""The error codes of cloud services and databases, where their libraries put them. Pure."""

from __future__ import annotations

import re

from .raised import Raised

AUTHORIZATION = ('authorization', 'auth')
THROTTLED = ('throttled', 'rate-limit')
SERVER = ('server', 'remote-5xx')
NETWORK = ('network', 'network')

SERVICE_CODE = re.compile(
    r'An error occurred \((\w+)\)(?: when calling)?'  # botocore
    r'|^(?:Error ?)?Code: ?(\w+)\s*$'  # Azure
    r'|invalid status \'([A-Za-z ]+)\''
    r'|StatusCode\.([A-Z_]+)'  # gRPC
    r'|[\'"](?:codeName|code|error|errorCode|error_code)[\'"]: ?[\'"](\w+)[\'"]',
    re.M,
)
AZURE_FIRST = re.compile(r'\((\w+)\) ')
MEANINGS = (
    (
        re.compile(
            r'AccessDenied|Unauthori|Unauthent|Forbidden|Authori[sz]ation|Authentication|InvalidClientToken|ExpiredToken|'
            r'InvalidAccessKey|SignatureDoesNotMatch|UnrecognizedClient|InvalidAuthenticationInfo|PermissionDenied|'
            r'PERMISSION_DENIED|UNAUTHENTICATED|InsufficientAccountPermissions|invalid_(?:client|grant|api_key|token)|'
            r'LinkedAuthorizationFailed|AuthFailure|OptInRequired',
            re.I,
        ),
        AUTHORIZATION,
    ),
    (
        re.compile(
            r'Throttl|TooManyRequests|Too Many Requests|SlowDown|RequestLimitExceeded|RESOURCE_EXHAUSTED|'
            r'ProvisionedThroughputExceeded|rate_limit|QuotaExceeded|LimitExceeded',
            re.I,
        ),
        THROTTLED,
    ),
    (
        re.compile(
            r'InternalError|InternalServerError|Internal Server Error|InternalFailure|ServiceUnavailable|'
            r'Service Unavailable|ServerBusy|OperationTimedOut|UNAVAILABLE|INTERNAL$|Bad Gateway|Gateway Time',
            re.I,
        ),
        SERVER,
    ),
    (re.compile(r'DEADLINE_EXCEEDED|RequestTimeout'), ('network', 'network-timeout')),
    (re.compile(r'NoSuch|NotFound|NOT_FOUND|Not Found|DoesNotExist'), ('application', 'remote-404')),
)

DATABASE_TYPE = re.compile(r'^(?:OperationalError|InterfaceError|DatabaseError|InternalError|DBAPIError|Error)$')
MYSQL = re.compile(r'\((\d{4}), |^(\d{4}) \(\w{5}\): ')
MYSQL_MEANS = {
    **dict.fromkeys((1044, 1045, 1142, 1227, 1698), AUTHORIZATION),
    **dict.fromkeys((1040, 1203, 1226), THROTTLED),
    **dict.fromkeys((2002, 2003), ('network', 'network-refused')),
    2005: ('network', 'dns'),
    **dict.fromkeys((2006, 2013, 2055), NETWORK),
    **dict.fromkeys((1205, 1213), SERVER),
}
SQLSTATE = re.compile(r"\('(\w{5})', ")
ORACLE = re.compile(r'\b(ORA-\d{5}|DPY-\d{4})\b')
ORACLE_MEANS = {
    **dict.fromkeys(('ORA-01017', 'ORA-01031', 'ORA-28000', 'ORA-28001'), AUTHORIZATION),
    **dict.fromkeys(
        ['ORA-12154', 'ORA-12170', 'ORA-12541', 'ORA-12545', 'ORA-12514', 'ORA-03113', 'ORA-03114', 'ORA-03135'],
        NETWORK,
    ),
    **dict.fromkeys(('DPY-6005', 'DPY-6001', 'DPY-4011'), NETWORK),
}
# What libpq and the servers behind it write; it has no code in the text of the exception.
POSTGRES = (
    (re.compile(r'authentication failed for user|permission denied for|no pg_hba\.conf entry', re.I), AUTHORIZATION),
    (re.compile(r'remaining connection slots|too many clients', re.I), THROTTLED),
    (re.compile(r'could not translate host name'), ('network', 'dns')),
    (re.compile(r'Connection refused'), ('network', 'network-refused')),
    (re.compile(r'timeout expired|Connection timed out'), ('network', 'network-timeout')),
    (
        re.compile(r'server closed the connection|terminating connection|SSL connection has been closed|Lost conn'),
        NETWORK,
    ),
)


def by_code(raised: Raised) -> tuple[str, str] | None:
    """(error class, kind) by an error code in the exception's text, or None."""
    text = '\n'.join(raised.lines[:20])[:4000]
    found = SERVICE_CODE.search(text)
    word = next(filter(None, found.groups()), None) if found else None
    if raised.short == 'HttpResponseError' and (first := AZURE_FIRST.match(text)):
        word = first[1]
    if word:
        for pattern, meaning in MEANINGS:
            if pattern.search(word):
                return meaning
    return _of_database(raised.text) if DATABASE_TYPE.match(raised.short) else None


def _of_database(text: str) -> tuple[str, str] | None:
    if match := MYSQL.search(text):
        return MYSQL_MEANS.get(int(match[1] or match[2]))
    if match := SQLSTATE.search(text):
        return _of_sqlstate(match[1])
    if match := ORACLE.search(text):
        return ORACLE_MEANS.get(match[1])
    return next((meaning for pattern, meaning in POSTGRES if pattern.search(text)), None)


def _of_sqlstate(state: str) -> tuple[str, str] | None:
    """ISO/IEC 9075 classes 08 (connection), 28 (authorization), 40 (rolled back), 53 (resources); HYT: ODBC."""
    if state.startswith('HYT'):
        return 'network', 'network-timeout'
    return {'08': NETWORK, '28': AUTHORIZATION, '40': SERVER, '53': THROTTLED}.get(state[:2])

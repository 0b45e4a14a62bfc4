"""Finds the code of a status in a text, where it is one: never a number that merely looks like it. Pure."""

from __future__ import annotations

import re

_NUMBER = r'([45]\d\d)\b(?!\.\d)'
# "403 of 1000 rows", "503 customers": a count. The words left out can follow a status.
_COUNT = r'(?!\s+(?:of|out of)\b)(?!\s+(?!times\b|was\b|is\b|has\b|as\b|this\b|does\b|errors\b|access\b)[a-z]+s\b)'
_REASONS = (
    'Bad Request|Unauthorized|Forbidden|Not Found|Method Not Allowed|Request Time-?out|Conflict|Gone|Too Many Requests|'
    'Internal Server Error|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out|Server Error'
)
IN_CONTEXT = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf'\bHTTP(?:S|/\d(?:\.\d)?)?(?:[ _-]?(?:Error|status|code|response))*\W{{0,4}}{_NUMBER}{_COUNT}',
        rf'\bstatus(?:[ _-]?code)?[\'"]?\W{{0,4}}(?:was |is |of )?\W{{0,3}}{_NUMBER}{_COUNT}',
        rf'\bresponse(?:[ _-]?(?:code|status))*[\'"]?\W{{0,4}}(?:was |is |of )?\W{{0,3}}{_NUMBER}{_COUNT}',
        rf'\bhttps?://\S+\s(?:returned|answer(?:s|ed)|gave|responded|->|=>)(?: with)?\W{{0,3}}{_NUMBER}{_COUNT}',
        rf'\b{_NUMBER} (?:Client|Server) Error\b',
        rf'\b(?:Client|Server) error \W?{_NUMBER}',
        rf'\b{_NUMBER} (?:{_REASONS})(?=\s*(?:$|[:.,;)\'"<>\]}}|-]|for\b))',
        rf'[\'"](?:code|status|statusCode|status_code)[\'"]\s*:\s*[\'"]?{_NUMBER}',
        rf'\b(?:code|status|status_code|statusCode)={_NUMBER}',
    )
)
# Of a type that speaks HTTP the number may come first, as in `ApiException: (403)`.
SPEAKS_HTTP = re.compile(r'HTTP|Http|Api|API|Response|Request|Status|Client')
FIRST = re.compile(rf'(?:\w+: )?(?:Error code: )?[(\[<]?{_NUMBER}[)\]>]?(?=$|[\s:,.;-]){_COUNT}')


def status_in(text: str, name: str = '') -> int:
    """The status 400–599 that a text says, or 0. `name`: the type of the exception whose text it is."""
    for pattern in IN_CONTEXT:
        if match := pattern.search(text):
            return int(match[1])
    if '.' in name or SPEAKS_HTTP.search(name):
        match = FIRST.match(text)
        if match and (SPEAKS_HTTP.search(name) or text.startswith(('Error code: ', match[1] + ' '))):
            return int(match[1])
    return 0

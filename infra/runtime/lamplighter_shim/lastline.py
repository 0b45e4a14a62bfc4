"""Which line of a job's last words says why it ended. Pure."""

from __future__ import annotations

import re

from .evidence import GAP
from .raised import WARNING

LEADS_TO_LINK = re.compile(r'(?:for|see|visit|read|more|help|docs|documentation|details)\b.*\bhttps?://\S+$', re.I)
ITEM = re.compile(r'\s+(?:[-*\u2022]|\d+[.)]) ')


def last_line(lines: list[str]) -> str:
    """The last line that says something; else an empty text. Warnings of Python are left aside, and so are a link to
    help and an indented list, when there is something in front of them."""
    link = ''
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at].strip()
        warned = WARNING.match(lines[at]) or (lines[at][:1] == ' ' and at and WARNING.match(lines[at - 1]))
        if line == GAP or warned or not re.search(r'\w\w', line):
            continue
        if LEADS_TO_LINK.match(line):
            link = link or line
            continue
        return _above_list(lines, at) or line
    return link


def _above_list(lines: list[str], at: int) -> str:
    """The line that a list is indented below whose last line is at `at`, with the first item if it ends in a colon;
    else an empty text."""
    first = item = ''
    while at >= 0 and (not lines[at].strip() or lines[at][0] in ' \t'):
        first = lines[at].strip() or first
        item = item or (first if ITEM.match(lines[at]) else '')
        at -= 1
    if not item or at < 0 or lines[at] == GAP or not re.search(r'\w\w', lines[at]):
        return ''
    head = lines[at].strip()
    return f'{head} {first}' if head.endswith(':') else head

"""How programs write a text where not every character may stand for itself. Pure; sets of text, or of bytes."""

from __future__ import annotations

import json
import re

UNRESERVED = frozenset(b'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.')
# What is left as it is beside letters and digits, by whom:
SAFE = tuple(
    frozenset(kept.encode())
    for kept in (
        '~',  # RFC 3986; Python's quote_plus
        '~/',  # Python's quote
        '',  # Python before 3.7
        '*',  # HTML forms, Java
        "~!'()*",  # encodeURIComponent
        '~$&+:=@',  # Go in a path
        "~!$&'()*+,;=",  # user names and passwords, by RFC 3986
        "~!$&'()*+,;=:",
        "~!$&'()*+,;=:@/",  # a path, by RFC 3986
        "~!$&'()*+,;=:@/?",  # a query
        "~!$&'()*+,;=:@/?#",  # encodeURI
        "~!#$%&'()*+,/:;=?@[]",  # Python's requests
    )
)
HEX_IN_JSON = re.compile(r'\\u[0-9a-f]{4}')
NOT_ASCII = re.compile(r'[^\0-\x7f]')
PLAIN_IN_SHELL = re.compile(r'[^\w@%+=:,./-]', re.A)


def as_json(text: str) -> set[str]:
    """As Python's json writes it, in ASCII or not."""
    return {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}


def in_json(text: str) -> set[str]:
    """As a person's JSON has it."""
    found = set()
    for plain in as_json(text):
        found |= {plain, plain.replace('/', '\\/')}
        # Made safe for HTML: Go and Rails, PHP, .NET.
        for signs in ('<>&', "<>&'", "<>&'+`"):
            safe = plain
            for sign in signs:
                safe = safe.replace(sign, f'\\u{ord(sign):04x}')
            found |= {safe, safe.replace('/', '\\/'), safe.replace('\\"', '\\u0022')}
    return found | {HEX_IN_JSON.sub(lambda match: '\\u' + match[0][2:].upper(), form) for form in found}


def as_python(text: str) -> set[str]:
    """As `repr` writes it, as text and as bytes."""
    found = {repr(text)[1:-1], repr(text.encode('utf-8', 'surrogateescape'))[2:-1]}
    # Inside something longer the other quote may decide which one is escaped.
    return found | {form.replace("'", "\\'") for form in found if "\\'" not in form}


def in_python(text: str) -> set[str]:
    """As `repr`, `ascii` and stderr write it."""
    found = as_python(text) | {text.encode('unicode_escape').decode('ascii')}
    found.add(text.encode('ascii', 'backslashreplace').decode('ascii'))
    return found | {form.replace("'", "\\'") for form in found if "\\'" not in form}


def in_html(text: str) -> set[str]:
    found = set()
    plain = text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')
    for double in ('&quot;', '&#34;', '"'):
        for single in ('&#x27;', '&#39;', '&#039;', '&apos;', "'"):
            found.add(plain.replace('"', double).replace("'", single))
    mustache = plain.replace('"', '&quot;').replace("'", '&#39;')
    found.add(mustache.replace('/', '&#x2F;').replace('`', '&#x60;').replace('=', '&#x3D;'))
    # XML in ASCII, and in attributes.
    found |= {NOT_ASCII.sub(lambda match: f'&#{ord(match[0])};', form) for form in found}
    found |= {NOT_ASCII.sub(lambda match: f'&#x{ord(match[0]):X};', form) for form in found}
    return found | {form.replace('\n', '&#10;').replace('\r', '&#13;').replace('\t', '&#09;') for form in found}


def in_quotes(text: str) -> set[str]:
    """As CSV, SQL and shells do it."""
    found = {text.replace('"', '""'), text.replace("'", "''")}
    found |= {text.replace("'", "'\\''"), text.replace("'", "'\"'\"'")}
    for sign in ('\\', '"', '$', '`'):
        text = text.replace(sign, '\\' + sign)
    return found | {text}


def in_shell(text: str) -> set[str]:
    """As bash says it with `%q` or, where something cannot be seen, in `$'…'`."""
    seen = text.replace('\\', '\\\\').replace("'", "\\'")
    seen = seen.replace('\n', '\\n').replace('\r', '\\r').replace('\t', '\\t')
    octal = ''.join(chr(c) if c < 128 else f'\\{c:03o}' for c in seen.encode('utf-8', 'surrogateescape'))
    return {PLAIN_IN_SHELL.sub(lambda match: '\\' + match[0], text), seen, octal}


def as_address(raw: bytes) -> set[bytes]:
    """As Python's quote and quote_plus and JavaScript's encodeURIComponent write it, from bytes to a set of bytes."""
    odd = frozenset(raw) - UNRESERVED
    ways = ((SAFE[0], b'+'), (SAFE[0], b'%20'), (SAFE[4], b'%20'))
    return {_percent(raw, odd - safe, b'%%%02X', space) for safe, space in ways}


def _percent(raw: bytes, odd: frozenset[int], pattern: bytes, space: bytes) -> bytes:
    for c in sorted(odd - {32}, key=lambda c: c != 37):  # the percent sign first
        raw = raw.replace(bytes((c,)), pattern % c)
    return raw.replace(b' ', space)


def in_address(raw: bytes) -> set[bytes]:
    """Percent-encoded, from bytes to a set of bytes."""
    odd = frozenset(raw) - UNRESERVED
    found = set()
    for kept in {odd & safe for safe in SAFE}:
        for pattern in (b'%%%02X', b'%%%02x'):
            found |= {_percent(raw, odd - kept, pattern, space) for space in (b'%20', b'+')}
    return found

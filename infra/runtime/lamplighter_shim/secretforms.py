"""The ways in which a secret can turn up in output; docs/secrets.md lists them for people. Pure."""

from __future__ import annotations

from binascii import b2a_base64
from unicodedata import category

from .escapes import (
    as_address,
    as_json,
    as_python,
    in_address,
    in_html,
    in_json,
    in_python,
    in_quotes,
    in_shell,
)

SHORTEST_FORM = 4
SHORTEST_BASE64 = 6
SHORTEST_LINE = 8
SHORTEST_REST = 8
# Control characters, marks without width, blanks and line ends; then what is of another category: the reverse of a BOM,
# and what stands for an object.
STRIPPED = frozenset(('Cc', 'Cf', 'Zs', 'Zl', 'Zp'))
STRIPPED_TOO = '\ufffe\ufffc'
QUOTES = '"\'`\u201c\u201d\u2018\u2019\u201e\u201a\u00ab\u00bb'


def text_forms(secret: str) -> set[bytes]:
    """The secret (text) as it looks raw, escaped, and escaped twice in the ways that happen. A set of bytes."""
    if secret.isascii() and secret.isalnum():
        return {secret.encode()}
    texts = {secret, secret.replace('\n', '\r\n')}
    jsons = as_json(secret)
    once = texts | in_json(secret) | in_python(secret) | in_html(secret) | in_quotes(secret) | in_shell(secret)
    twice = set()
    for text in once:
        twice |= as_json(text) | as_python(text)
    for text in jsons:
        twice |= in_html(text) | in_quotes(text)
    found = {_bytes(text) for text in once | twice}
    for text in jsons - texts:
        found |= as_address(_bytes(text))
    for text in texts:
        addresses = in_address(_bytes(text))
        found |= addresses | {form.replace(b'%', b'%25') for form in addresses}
    return found | _in_latin(secret) | _in_ascii(secret)


def _bytes(text: str) -> bytes:
    return text.encode('utf-8', 'surrogateescape')


def _in_latin(secret: str) -> set[bytes]:
    """Basic authentication and old programs write it so."""
    try:
        raw = secret.encode('latin-1')
    except UnicodeEncodeError:
        return set()
    return {raw} | as_address(raw)


def _in_ascii(secret: str) -> set[bytes]:
    """What is left where a program prints to something that knows ASCII only."""
    forms = {secret.encode('ascii', how) for how in ('replace', 'ignore')}
    return {form for form in forms if len(form.replace(b'?', b'')) >= SHORTEST_REST}


def packed_forms(secret: str, inside: bool = True) -> set[bytes]:
    """The secret in base64 and hex. A set of bytes. `inside`: also as base64 of JSON and of addresses has it."""
    raw = _bytes(secret)
    forms = set()
    for digits in (raw.hex(), raw.hex(':'), raw.hex('-'), raw.hex(' ')):
        forms |= {digits.encode(), digits.upper().encode()}
    sources = {raw}
    if inside:
        sources |= {_bytes(text) for text in (*as_json(secret), secret.replace('\n', '\r\n'))}
        sources |= as_address(raw)  # OAuth puts a client's password into that form before base64
        sources |= _in_latin(secret)
    for source in sources:
        forms |= _base64(source)
    return forms


def _base64(raw: bytes) -> set[bytes]:
    """Inside something longer, base64 begins in one of three places within a group of three bytes: for each of them
    the characters that depend on the secret alone. At the end of the text the last character and padding, too.
    """
    forms = set()
    for shift in range(3):
        whole = b2a_base64(bytes(shift) + raw, newline=False)
        start, sure = (0, 2, 3)[shift], (shift + len(raw)) * 8 // 6
        for text in (whole[start:sure], whole[start:].rstrip(b'='), whole[start:]):
            if len(text.rstrip(b'=')) >= SHORTEST_BASE64:
                urlsafe = text.replace(b'+', b'-').replace(b'/', b'_')
                forms |= {text, urlsafe, text.replace(b'/', b'\\/')} | as_address(text)
    return forms


def bare(secret: str, also: str = '') -> str:
    """The secret without what a script strips off its ends: white space, control characters, NUL, marks that are not
    seen, a BOM (also one that was read as Latin-1), and the characters of `also`."""
    start, end = 0, len(secret)
    while start < end:
        if secret.startswith('\u00ef\u00bb\u00bf', start):
            start += 3
        elif _around(secret[start], also):
            start += 1
        else:
            break
    while start < end and _around(secret[end - 1], also):
        end -= 1
    return secret[start:end]


def _around(sign: str, also: str) -> bool:
    return sign in also or sign in STRIPPED_TOO or category(sign) in STRIPPED or _selects(sign)


def _selects(sign: str) -> bool:
    """Whether it is a variation selector."""
    return '\ufe00' <= sign <= '\ufe0f' or '\U000e0100' <= sign <= '\U000e01ef'


def lines_of(secret: str) -> list[str]:
    """The lines of a secret that has several, each without what is around it. A PEM key in one line, its line ends
    written as `\\n`, has several, too: scripts put the line ends back."""
    if '\n' not in secret and '\\n' in secret:
        secret = secret.replace('\\r', '').replace('\\n', '\n')
    lines = [bare(line, QUOTES) for part in secret.split('\0') for line in part.splitlines()]
    return lines if len(lines) > 1 else []


def forms_of(secret: str) -> tuple[set[bytes], set[bytes]]:
    """Returns (all forms, those of base64 and hex that may be wrapped over lines), as sets of bytes."""
    lines, core = lines_of(secret), bare(secret)
    wholes = {whole for whole in (secret, core, bare(secret, QUOTES)) if len(whole) >= SHORTEST_FORM}
    if '\n' not in secret and '\\n' in secret:
        wholes.add('\n'.join(lines))
    every: set[bytes] = set()
    wrapped: set[bytes] = set()
    for whole in wholes:
        every |= text_forms(whole)
        wrapped |= packed_forms(whole)
    for line in lines:
        if len(line) >= SHORTEST_LINE and line != core:
            every |= text_forms(line) | packed_forms(line)
            wrapped |= packed_forms(line, inside=False)
    every |= wrapped
    return {form for form in every if len(form) >= SHORTEST_FORM}, {form for form in wrapped if len(form) >= 16}

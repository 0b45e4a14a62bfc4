"""The ways in which a secret can turn up in output. Pure."""

import json
from binascii import b2a_base64

SHORTEST_FORM = 4
SHORTEST_BASE64 = 6
SHORTEST_LINE = 8
UNRESERVED = frozenset(b'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~')


def text_forms(secret):
    """The secret (text) as it looks raw and escaped for JSON, Python, addresses and HTML. A set of bytes."""
    raw = secret.encode('utf-8', 'surrogateescape')
    plain = {secret, secret.replace('\n', '\r\n')}
    plain |= {repr(secret)[1:-1], repr(raw)[2:-1], secret.encode('unicode_escape').decode('ascii')}
    for source in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        for ascii_only in (True, False):
            text = json.dumps(source, ensure_ascii=ascii_only)[1:-1]
            plain |= {text, text.replace('/', '\\/'), _unicode_escaped(text), _unicode_escaped(text).upper()}
    plain |= {text.replace("'", "\\'") for text in list(plain)}
    html = secret.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')
    for double in ('&quot;', '&#34;', '"'):
        for single in ('&#x27;', '&#39;', '&apos;', "'"):
            plain.add(html.replace('"', double).replace("'", single))
    return {text.encode('utf-8', 'surrogateescape') for text in plain} | _url_forms(raw)


def _unicode_escaped(text):
    """JSON made safe for HTML, as Go, Rails and .NET write it."""
    for sign in '<>&\'"+':
        if sign != '"':
            text = text.replace(sign, f'\\u{ord(sign):04x}')
    return text


def _url_forms(raw):
    forms = set()
    for safe in (b'/', b'', b"!'()*"):  # urllib's quote and quote_plus, JavaScript's encodeURIComponent
        for space in (b'%20', b'+'):
            for pattern in (b'%%%02X', b'%%%02x'):
                forms.add(
                    b''.join(
                        bytes((c,)) if c in UNRESERVED or c in safe else space if c == 32 else pattern % c for c in raw
                    )
                )
    return forms


def packed_forms(secret):
    """The secret in base64 and hex. A set of bytes.

    Inside something longer, base64 begins in one of three places within a group of three bytes: for each of them
    the characters that depend on the secret alone. At the end of the text the last character and padding, too.
    """
    raw = secret.encode('utf-8', 'surrogateescape')
    forms = set()
    for shift in range(3):
        whole = b2a_base64(bytes(shift) + raw, newline=False)
        start, sure = (0, 2, 3)[shift], (shift + len(raw)) * 8 // 6
        for text in (whole[start:sure], whole[start:].rstrip(b'='), whole[start:]):
            if len(text.rstrip(b'=')) >= SHORTEST_BASE64:
                urlsafe = text.replace(b'+', b'-').replace(b'/', b'_')
                forms |= {text, urlsafe, text.replace(b'/', b'\\/')} | _url_forms(text) | _url_forms(urlsafe)
    for digits in (raw.hex(), raw.hex(':')):
        forms |= {digits.encode(), digits.upper().encode()}
    return forms


def forms_of(secret):
    """Returns (all forms, those of base64 and hex that may be wrapped over lines), as sets of bytes."""
    every, wrapped = text_forms(secret), packed_forms(secret)
    lines = [line.strip() for line in secret.splitlines()]
    if len(lines) > 1:
        for line in lines:
            if len(line) >= SHORTEST_LINE:
                every |= text_forms(line) | packed_forms(line)
        trimmed = secret.strip()
        every |= text_forms(trimmed)
        wrapped |= packed_forms(trimmed)
    every |= wrapped
    return {form for form in every if len(form) >= SHORTEST_FORM}, {form for form in wrapped if len(form) >= 16}

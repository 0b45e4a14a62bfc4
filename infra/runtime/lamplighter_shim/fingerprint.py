"""What makes one failure the same as another: class, types, and the place in the job's own code. Pure."""

from __future__ import annotations

import re
from hashlib import sha256

from .raised import Raised

VERSION = 'v1'
HOSTS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r'\bhost=[\'"]([^\'"]+)',
        r'\b(?:https?|wss?|ftps?|amqps?|rediss?|postgres(?:ql)?|mysql|mongodb(?:\+srv)?|sftp|smb)://'
        r'(?:[^\s/@\'"]*@)?([^\s/:\'"?#,)]+)',
        r'\b(?:resolve|server at|connect to server|MySQL server on|to host|translate host name|connecting to|'
        r'connect to|to address|getaddrinfo for)\s+(?:host\s+)?[\'"(]?([\w.-]+)',
        r'\b((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}):\d{2,5}\b',
        r'^([a-z0-9.-]+):\d{2,5}: ',
    )
)
HOST = re.compile(r'(?=.{1,253}$)(?!.*\.\.)[a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?$')
LIBRARY = re.compile(r'/(?:site|dist)-packages/|/lib/python\d|^<frozen |/\.venv/')
NOISE = (
    (re.compile(r'https?://([^\s/]+)\S*'), r'\1'),
    (re.compile(r"'[^']*'|\"[^\"]*\""), '*'),
    (re.compile(r'\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b|\b[0-9a-f]{12,}\b|0x[0-9a-f]+', re.I), 'x'),
    (re.compile(r'(?:/[\w.-]+)+/([\w.-]+)'), r'\1'),
    (re.compile(r'\d+'), '0'),
)


def fingerprint(error_class: str, raised: Raised | None, text: str, root: str) -> str:
    """16 hex digits. `text` counts where there is no exception with frames; `root` is the folder the job ran in."""
    facts = [VERSION, error_class, *(_facts(raised, root) if raised else [])]
    if not raised or not _has_frames(raised):
        facts.append(normal(text))
    return sha256('\n'.join(facts).encode('utf-8', 'replace')).hexdigest()[:16]


def _facts(raised: Raised, root: str) -> list[str]:
    facts: list[str] = []
    link: Raised | None = raised
    while link and len(facts) < 20:
        facts += [link.name, _place(link.frames, root)]
        link = link.before if link.direct or link.before is None else None
    for part in sorted({'|'.join(_facts(part, root)) for part in raised.parts[:50]}):
        facts.append(part)
    return facts


def _has_frames(raised: Raised) -> bool:
    return bool(raised.frames) or any(_has_frames(part) for part in raised.parts)


def _place(frames: list[tuple[str, int, str]], root: str) -> str:
    """The last frame in the job's own code, else the last of all; without lines, which every edit moves."""
    own = [frame for frame in frames if not LIBRARY.search(frame[0])]
    if not (own or frames):
        return ''
    file, _, function = (own or frames)[-1]
    if root and file.startswith(root):
        file = file[len(root) :]
    elif own:
        file = file.rpartition('/work/')[2]
    else:
        file = LIBRARY.split(file)[-1]
    return f'{file.lstrip("/")}:{function}'


def normal(text: str) -> str:
    """A text without what differs from time to time: numbers, quoted values, paths, ids."""
    for pattern, kept in NOISE:
        text = pattern.sub(kept, text)
    return text[:200]


def host_of(raised: Raised | None, text: str) -> str | None:
    """The host that the exception, or what it comes from, names; in small letters."""
    texts = [text]
    link = raised
    while link and len(texts) < 12:
        texts += [link.text, *(part.text for part in link.parts)]
        link = link.before
    for said in texts:
        for pattern in HOSTS:
            if match := pattern.search(said[:2000]):
                host = match[1].lower().rstrip('.')
                if HOST.match(host) and (
                    host == 'localhost' or '.' in host or pattern is HOSTS[0] or pattern is HOSTS[1]
                ):
                    return host
    return None

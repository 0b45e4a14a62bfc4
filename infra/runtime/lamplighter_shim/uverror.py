"""What it means when uv fails. Pure."""

from __future__ import annotations

import re

from .failure import Failure

# In this order: a proxy's 403 also mentions the network, and a stale lock is reported before anything is fetched.
MEANINGS = (
    (
        'configuration',
        r'lockfile .*needs to be updated|lock file .*needs to be updated|unable to find lockfile',
        'uv.lock does not fit pyproject.toml: run `uv lock`, commit, deploy again',
    ),
    (
        'authorization',
        r'\b40[13]\b|unauthorized|forbidden',
        'the package index refuses us: are its credentials set for the host?',
    ),
    ('throttled', r'\b429\b|too many requests', 'the package index asks us to slow down'),
    ('server', r'\b50[0-4]\b|bad gateway|service unavailable', 'the package index is in trouble'),
    ('infrastructure', r'no space left on device|read-only file system', 'there is no room for the packages'),
    (
        'configuration',
        r'no interpreter found|no python installation|requires-python|incompatible with the project',
        'the Python version that the job asks for is not installed here, or does not fit pyproject.toml',
    ),
    (
        'network',
        r'error sending request|dns error|failed to connect|connection (refused|reset)|timed out|tunnel|'
        r'failed to lookup|error trying to connect|network unreachable|operation timed out|client error \(connect\)',
        'the package index could not be reached',
    ),
)


def uv_failure(code: int | None, lines: list[str], limit_s: int) -> Failure:
    """A Failure for uv's exit code (None: beyond `limit_s`) and the last lines it said."""
    detail = '\n'.join(lines)[-4096:]
    if code is None:
        return Failure('network', f'uv did not finish within {limit_s // 60}m', detail)
    for error_class, pattern, message in MEANINGS:
        if re.search(pattern, detail, re.IGNORECASE):
            return Failure(error_class, message, detail)
    return Failure('configuration', f'uv could not install the packages of uv.lock (exit code {code})', detail)

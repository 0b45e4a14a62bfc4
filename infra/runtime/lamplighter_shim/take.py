from __future__ import annotations

import json
import os
import sys

from . import VERSION
from .clock import iso
from .linux import process_start
from .storage import Away, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Spec
    from .storage import Storage


TAKEN, UNREACHABLE = 75, 69


def take(spec: Spec, storage: Storage, started_at: int) -> int | None:
    """Claims the attempt by creating `started`. Returns None when it is ours, else the exit code to leave with.

    75: another shim has it, or the service has given it up. 69: storage was unavailable, or does not let us.
    When the answer to our own creation was lost, the next try hears that the blob exists: what is there is compared
    with what was written. Where that cannot be read the shim leaves: running nothing is safe, as the service gives the
    attempt up when no heartbeat comes and starts the next one; running it twice is not.
    """
    mark = {
        'pid': os.getpid(),
        'processStart': process_start(),
        'host': os.uname().nodename,
        'startedAt': iso(started_at),
        'shim': VERSION,
        'token': os.urandom(16).hex(),
    }
    who = f'{spec["job"]}.{spec["run"]} attempt {spec["attempt"]}'
    try:
        if storage.create(spec['blobs']['started'], json.dumps(mark).encode(), 'application/json'):
            return None
    except (Away, ValueError) as away:
        print(f'lamplighter: {who} was not taken: {away}', file=sys.stderr)
        return UNREACHABLE
    except Refused as refused:
        print(f'lamplighter: {who} was not taken: {refused}; are its address and signature right?', file=sys.stderr)
        return UNREACHABLE
    if _is_ours(spec, storage, mark['token']):
        return None
    print(f'lamplighter: {who} is taken already: leaving it alone', file=sys.stderr)
    return TAKEN


def _is_ours(spec: Spec, storage: Storage, token: object) -> bool:
    """Whether the mark that is there is the very one this shim has sent: then only the answer was lost."""
    try:
        return bool(json.loads(storage.read(spec['blobs']['started'])).get('token') == token)
    except (Away, Refused, ValueError, AttributeError):
        return False

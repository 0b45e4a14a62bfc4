from __future__ import annotations

import json
import os
import sys

from . import VERSION
from .clock import iso
from .linux import process_start
from .storage import Away, code_of, exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Sink, Spec
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
        reply = storage.create(spec['blobs']['started'], json.dumps(mark).encode(), 'application/json')
    except (Away, ValueError) as away:
        print(f'lamplighter: {who} was not taken: {away}', file=sys.stderr)
        return UNREACHABLE
    if reply.status == 201:
        return None
    refusal = f'storage answers {reply.status} {code_of(reply)}'
    if exists(reply, spec['blobs']['started']):
        if _is_ours(spec, storage, mark['token']):
            return None
        print(f'lamplighter: {who} is taken already ({refusal}): leaving it alone', file=sys.stderr)
        return TAKEN
    print(f'lamplighter: {who} was not taken: {refusal}; are its address and signature right?', file=sys.stderr)
    return UNREACHABLE


def _is_ours(spec: Spec, storage: Storage, token: object) -> bool:
    """Whether the mark that is there is the very one this shim has sent: then only the answer was lost."""
    parts: list[bytes] = []

    def fresh() -> Sink:
        parts.clear()
        return parts.append

    try:
        reply = storage.send('GET', spec['blobs']['started'], new_sink=fresh)
        return reply.status == 200 and json.loads(b''.join(parts)).get('token') == token
    except (Away, ValueError, AttributeError):
        return False

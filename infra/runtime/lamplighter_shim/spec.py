from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Spec


VARIABLE = 'LAMPLIGHTER_SPEC'
KEYS = [
    'version',
    'job',
    'run',
    'attempt',
    'scheduledFor',
    'command',
    'python',
    'env',
    'secrets',
    'bundle',
    'inputs',
    'outputs',
    'timeoutMs',
    'graceMs',
    'logLimitBytes',
    'heartbeatMs',
    'deliverMs',
    'blobs',
    'nudge',
    'cache',
]


class BadSpec(Exception):
    pass


def spec_text() -> str | bytes:
    """What LAMPLIGHTER_SPEC holds, or else what comes on stdin until its end.

    The variable holds signed addresses that the job must not see, so it is wiped from this process, too: taking it
    out of os.environ would leave it readable in /proc/<pid>/environ.
    """
    text = os.environ.get(VARIABLE)
    if text:
        from .linux import wipe_variable

        wipe_variable(VARIABLE)
        del os.environ[VARIABLE]
        return text
    parts = []
    while part := os.read(0, 1 << 20):
        parts.append(part)
    return b''.join(parts)


def parse_spec(text: str | bytes | bytearray) -> Spec:
    """The specification from its JSON. Raises BadSpec."""
    try:
        spec = json.loads(text)
    except ValueError as error:
        raise BadSpec(f'the specification of the attempt is not JSON: {error}') from None
    missing = [key for key in KEYS if key not in spec] if isinstance(spec, dict) else KEYS
    if missing:
        raise BadSpec(f'the specification of the attempt lacks {", ".join(missing)}')
    if spec['version'] != 1:
        raise BadSpec(f'this shim reads version 1 of the specification, and this is {spec["version"]!r}')
    checked: Spec = spec
    return checked

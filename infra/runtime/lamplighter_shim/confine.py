"""Keeps a job in a container from writing to the attempt's own directory, which is mounted from the machine's disk: no
forged result, and no more disk than the job was promised. By Landlock (landlock(7)); on a kernel without it nothing is
changed, and a job can do both."""

from __future__ import annotations

import os
from sys import byteorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Where container.ts mounts it.
OWN = '/run/lamplighter'
# With a read-only root there is nothing else that a job could write to.
WRITABLE = ('/tmp', '/dev', '/proc')
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # on every architecture
VERSION, PATH_BENEATH = 1, 1
# linux/landlock.h: write to a file, and remove, make and move of all kinds (1, 4 to 13); truncate (14).
WRITE, TRUNCATE = 1 << 1 | sum(1 << bit for bit in range(4, 14)), 1 << 14


def confinement() -> Callable[[], None] | None:
    """What a process must do between its fork and its exec to be kept out; None where there is nothing to keep it from,
    or no means."""
    if not os.access(OWN, os.W_OK):
        return None
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).syscall
    except (OSError, AttributeError):
        return None
    version = call(CREATE_RULESET, None, 0, VERSION)
    if version < 2:  # the first one forbids every move between directories
        return None
    rights = WRITE | (TRUNCATE if version >= 3 else 0)
    handled = ctypes.c_uint64(rights)
    rules = call(CREATE_RULESET, ctypes.byref(handled), ctypes.sizeof(handled), 0)
    if rules < 0:
        return None
    for place in WRITABLE:
        try:
            fd = os.open(place, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            continue
        beneath = rights.to_bytes(8, byteorder) + fd.to_bytes(4, byteorder)
        call(ADD_RULE, rules, PATH_BENEATH, beneath, 0)
        os.close(fd)

    def confine() -> None:
        call(RESTRICT_SELF, rules, 0)
        os.close(rules)

    return confine

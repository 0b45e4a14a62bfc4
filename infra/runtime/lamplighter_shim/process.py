from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import time

from .confine import confinement
from .linux import children, first_to_die, members, trackers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Tick


TRACKER_S = 1.0


def find_program(name: str, path: str, cwd: str) -> str:
    """Full path of the program `name`, looked up as a shell would. Raises FileNotFoundError, PermissionError."""
    if '/' in name:
        found = os.path.join(cwd, name)
        if not os.path.exists(found):
            raise FileNotFoundError(errno.ENOENT, 'no such file', name)
        if os.path.isdir(found) or not os.access(found, os.X_OK):
            raise PermissionError(errno.EACCES, 'not executable', name)
        return found
    for directory in path.split(':'):
        found = os.path.join(directory, name)
        if directory and os.path.isfile(found) and os.access(found, os.X_OK):
            return found
    raise FileNotFoundError(errno.ENOENT, 'not on the PATH', name)


def spawn(argv: list[str], cwd: str, env: dict[str, str], out: int, keep: int | None = None) -> int:
    """Starts a process in a session and group of its own, stdout and stderr into `out`, stdin empty.

    `keep` is one more descriptor the process inherits. Returns the pid. Raises OSError when it did not start,
    ValueError for a NUL byte and UnicodeEncodeError for text that is none.
    """
    confine = confinement() if alone() else None
    process = subprocess.Popen(
        argv,
        executable=find_program(argv[0], env.get('PATH', ''), cwd),
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        start_new_session=True,
        pass_fds=() if keep is None else (keep,),
        preexec_fn=confine,
    )
    process.returncode = 0  # or Popen, when it is forgotten, might bury the process before we know how it ended
    pid = process.pid
    if alone():
        first_to_die(pid)
    return pid


def alone() -> bool:
    """Whether this is the first process of a container: everything in it is ours, its memory limit too."""
    return os.getpid() == 1


def kill_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        pass


def kill_job(group: int) -> None:
    """Kills a process group, but for Python's resource trackers in it: they end with the job, and only they can remove
    its shared memory."""
    kill_group(group, signal.SIGSTOP)  # a fork bomb would make new ones meanwhile
    everyone = members(group)
    spared = trackers(everyone)
    if not spared:
        kill_group(group, signal.SIGKILL)
        return
    for pid in everyone:
        kill(pid, signal.SIGCONT if pid in spared else signal.SIGKILL)


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def bury_orphans(pid: int) -> None:
    """Buries the dead among our children, but for `pid`."""
    for child in children():
        if child != pid:
            try:
                os.waitpid(child, os.WNOHANG)
            except ChildProcessError:
                pass


def kill_strays(patience_s: float = 2.0) -> int:
    """Kills and buries every process that the job left behind, also those that made a session of their own. Python's
    resource trackers have a second to end by themselves, as they do when nothing else of the job is left.

    They are our children once their parents are dead, as the shim is a subreaper; killing one brings its own
    children up to us, hence the loop. Returns how many did not end by themselves.
    """
    killed, began = 0, time.monotonic()
    while left := children():
        if alone():
            # All at once but this one: a fork bomb is faster than we are, and leaves us no processor to look around.
            kill(-1, signal.SIGSTOP)
            left = [pid for pid in members() if pid != os.getpid()]
        spared = trackers(left) if time.monotonic() < began + TRACKER_S else []
        for pid in left:
            kill(pid, signal.SIGCONT if pid in spared else signal.SIGKILL)
        try:
            while (buried := os.waitpid(-1, os.WNOHANG))[0]:
                killed += os.WIFSIGNALED(buried[1]) and os.WTERMSIG(buried[1]) == signal.SIGKILL
        except ChildProcessError:
            continue
        if time.monotonic() > began + patience_s:
            return killed + len(children())  # in an uninterruptible call, or another user's
        time.sleep(0.002)
    return killed


def capture(
    argv: list[str], cwd: str, env: dict[str, str], tick: Tick, limit_s: float, keep: int | None = None
) -> tuple[int | None, bytes]:
    """Runs a tool to its end. Returns (exit code, last 64 KiB of its output); exit code None: beyond `limit_s`.

    `tick` is called about twice a second. Whatever it or a signal handler raises ends the tool.
    """
    reading, open_end = os.pipe()
    writing: int | None = open_end
    pid, tail, until = None, b'', time.monotonic() + limit_s
    try:
        pid = spawn(argv, cwd, env, open_end, keep)
        os.close(open_end)
        writing = None
        poll = select.poll()
        poll.register(reading, select.POLLIN)
        while True:
            if poll.poll(500):
                data = os.read(reading, 1 << 16)
                if not data:
                    break
                tail = (tail + data)[-(1 << 16) :]
            tick()
            if time.monotonic() > until:
                return None, tail
        status = os.waitpid(pid, 0)[1]
        pid = None
        return os.waitstatus_to_exitcode(status), tail
    finally:
        os.close(reading)
        if writing is not None:
            os.close(writing)
        if pid:
            kill_group(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

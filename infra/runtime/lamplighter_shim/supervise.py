from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import time

from .clock import now_ms, span
from .linux import children
from .notstarted import not_started
from .process import bury_orphans, kill_group, kill_job, kill_strays, spawn
from .signals import signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from resource import struct_rusage

    from .log import Log
    from .shapes import Spec
    from .signals import Signals
    from .uploader import Uploader


READ_BYTES = 1 << 18
PIPE_BYTES = 1 << 20
TICK_S = 1.0
LEFTOVER_S = 1.0


class Ended:
    """How the job's own process ended. Times in ms since 1970; `killed_by_us`: its SIGKILL was ours."""

    exit_code: int | None = None
    signal: str | None = None
    stopped_by: str | None = None
    timed_out = killed_by_us = False
    cpu_ms = 0.0
    peak_bytes = ended_at = 0


def supervise(
    argv: list[str], cwd: str, env: dict[str, str], spec: Spec, log: Log, signals: Signals, uploader: Uploader
) -> tuple[int, Ended]:
    """Runs the job to its end, or ends it. Returns (start in ms, Ended). Raises Failure when it does not start."""
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except (OSError, AttributeError):
        pass  # not Linux, or beyond this user's share of pipe buffers
    os.set_blocking(reading, False)
    signals.note()
    started_at = now_ms()
    try:
        pid = spawn(argv, cwd, env, writing)
    except (OSError, ValueError) as error:
        os.close(reading)
        raise not_started(argv, cwd, env, error) from error
    finally:
        os.close(writing)
    try:
        return started_at, _watch(pid, reading, spec, log, signals, uploader)
    except BaseException:
        kill_job(pid)
        raise
    finally:
        os.close(reading)


def _watch(pid: int, reading: int, spec: Spec, log: Log, signals: Signals, uploader: Uploader) -> Ended:
    ended = Ended()
    began = time.monotonic()
    limit: float | None = began + spec['timeoutMs'] / 1000
    kill_at: float | None = None
    tick_at = began + TICK_S
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    poll.register(signals.wake, select.POLLIN)
    while True:
        now = time.monotonic()
        if now >= tick_at:
            log.settle(now_ms())
            uploader.start_if_due()
            tick_at = now + TICK_S
        if limit is not None and (signals.stopped or now >= limit):
            limit, kill_at = None, now + spec['graceMs'] / 1000
            ended.stopped_by, ended.timed_out = signals.stopped, not signals.stopped
            reason = (
                f'asked to stop ({signals.stopped})'
                if signals.stopped
                else (f'time limit of {span(spec["timeoutMs"])} reached')
            )
            log.say(f'{reason}: SIGTERM to the process group', now_ms())
            kill_group(pid, signal.SIGTERM)
        if kill_at is not None and now >= kill_at:
            log.say(f'still running {span(spec["graceMs"])} after SIGTERM: SIGKILL to the process group', now_ms())
            kill_job(pid)
            kill_at, ended.killed_by_us = None, True
        next_at = min(at for at in (tick_at, limit, kill_at) if at is not None)
        for fd, _ in poll.poll(max(0, (next_at - time.monotonic()) * 1000) + 1):
            if fd == signals.wake:
                signals.drain()
            elif not _read(reading, log):
                poll.unregister(reading)  # closed by the job, which may well run on
        if (burial := _dead(pid)) is not None:
            break
    ended.ended_at = now_ms()
    _outlive(pid, reading, log, signals)
    kill_job(pid)  # before the burial: until then the number cannot be of another process
    _, status, usage = burial or os.wait4(pid, 0)
    strays = kill_strays()
    code = os.waitstatus_to_exitcode(status)
    ended.exit_code, ended.signal = (code, None) if code >= 0 else (None, signal_name(-code))
    ended.cpu_ms = round((usage.ru_utime + usage.ru_stime) * 1000, 1)
    ended.peak_bytes = usage.ru_maxrss * (1 if sys.platform == 'darwin' else 1024)
    left = PIPE_BYTES  # what is left fits the pipe; only a writer we could not kill writes more
    while left > 0 and (size := _read(reading, log, at_end=True)):
        left -= size
    if strays:
        log.say(f'{strays} process{"es" if strays > 1 else ""} left behind by the job: SIGKILL', now_ms())
    return ended


def _dead(pid: int) -> tuple[int, int, struct_rusage] | tuple[()] | None:
    """None while the job's process lives; then an empty tuple, or what wait4 says where only a burial can report."""
    if not hasattr(os, 'waitid'):  # macOS before Python 3.13
        burial = os.wait4(pid, os.WNOHANG)
        return burial if burial[0] else None
    # Orphans that came to us are buried as they die: in a container they would use up its process limit. Not all at
    # once: a fork bomb makes them faster than that.
    for _ in range(1000):
        dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if dead is None:
            return None
        if dead.si_pid == pid:
            return ()
        os.waitpid(dead.si_pid, 0)
    return None


def _outlive(pid: int, reading: int, log: Log, signals: Signals) -> None:
    """Gives what the dead job has left behind a moment to end by itself, as Python's resource tracker does, which
    removes shared memory. What it writes meanwhile is kept."""
    until = time.monotonic() + LEFTOVER_S
    while time.monotonic() < until and any(child != pid for child in children()):
        while _read(reading, log, at_end=True):
            if time.monotonic() > until:
                return
        bury_orphans(pid)
        time.sleep(0.01)


def _read(reading: int, log: Log, at_end: bool = False) -> int:
    try:
        data = os.read(reading, READ_BYTES)
    except BlockingIOError:
        return not at_end
    if data:
        log.write(data, now_ms())
    return len(data)

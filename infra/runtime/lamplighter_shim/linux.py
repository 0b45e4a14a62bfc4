"""What only the kernel of Linux offers. Everything here is best effort and does nothing elsewhere."""

from __future__ import annotations

import os

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36


def wipe_variable(name: str) -> None:
    """Overwrites the value in the block that /proc/<pid>/environ shows; unsetenv alone leaves it there."""
    try:
        import ctypes

        libc = ctypes.CDLL(None)
        libc.getenv.restype = ctypes.c_void_p
        at = libc.getenv(name.encode())
        if at:
            ctypes.memset(at, 0, len(os.environb[name.encode()]))
    except (ImportError, OSError, AttributeError):
        pass


def guard() -> None:
    """Closes this process to its own job, and adopts the job's orphans."""
    _prctl(PR_SET_DUMPABLE, 0)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def hide() -> None:
    """Closes this process to others of the same user: /proc/<pid>/mem and the like are root's from here on."""
    _prctl(PR_SET_DUMPABLE, 0)


def _prctl(option: int, value: int) -> None:
    try:
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass


def process_start() -> int | None:
    """Start of this process in clock ticks since boot: field 22 of /proc/self/stat (proc_pid_stat(5)), or None."""
    try:
        with open('/proc/self/stat', 'rb') as file:
            return int(file.read().rpartition(b')')[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def children() -> list[int]:
    """Process ids of this process's children."""
    found: list[int] = []
    try:
        for thread in os.listdir('/proc/self/task'):
            with open(f'/proc/self/task/{thread}/children', 'rb') as file:
                found += map(int, file.read().split())
        return found
    except OSError:
        pass  # no /proc, or a kernel without CONFIG_PROC_CHILDREN
    me = str(os.getpid()).encode()
    try:
        for name in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{name}/stat', 'rb') as file:
                    if file.read().rpartition(b')')[2].split()[1] == me:
                        found.append(int(name))
            except (OSError, IndexError):
                continue
    except OSError:
        pass
    return found


def members(group: int | None = None) -> list[int]:
    """Process ids of a process group, or of all, that are not dead: fields 3 and 5 of /proc/<pid>/stat
    (proc_pid_stat(5))."""
    found = []
    try:
        for name in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{name}/stat', 'rb') as file:
                    state, _, of = file.read().rpartition(b')')[2].split()[:3]
                if group in (None, int(of)) and state not in (b'Z', b'X'):
                    found.append(int(name))
            except (OSError, ValueError):
                continue
    except OSError:
        pass  # no /proc
    return found


def trackers(pids: list[int]) -> list[int]:
    """Those of the processes that are resource trackers, of Python's `multiprocessing` or of joblib."""
    return [pid for pid in pids if b'resource_tracker import main' in command_line(pid)]


def command_line(pid: int) -> bytes:
    """Its arguments with NUL in between; empty when it is gone or of another user."""
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as file:
            return file.read(4096)
    except OSError:
        return b''


def oom_kills() -> int | None:
    """How often the kernel killed for memory in this cgroup, or None where that is not known."""
    return _memory_figure(('memory.events', 'memory.oom_control'), 'oom_kill ')


def memory_limit() -> int | None:
    """The memory limit of this cgroup in bytes, or None: none, or not known."""
    limit = _memory_figure(('memory.max', 'memory.limit_in_bytes'), '')
    return None if limit is None or limit >= 1 << 60 else limit  # version 1 writes "none" as a huge number


def _memory_figure(names: tuple[str, str], word: str) -> int | None:
    """The number behind `word` in the memory cgroup's file, whose name differs between version 2 and 1.

    Version 1 shows a container the path that its host sees, and mounts the container's own cgroup as the root.
    """
    try:
        with open('/proc/self/cgroup', encoding='ascii') as file:
            lines = [line.rstrip('\n').split(':', 2) for line in file]
    except OSError:
        return None
    two = [f'/sys/fs/cgroup{path}/{names[0]}' for number, _, path in lines if number == '0']
    one = [path for _, controllers, path in lines if 'memory' in controllers.split(',')]
    for name in (*(f'/sys/fs/cgroup/memory{path}/{names[1]}' for path in (*one, '')), *two):
        try:
            with open(name, encoding='ascii') as file:
                return next(int(line[len(word) :]) for line in file if line.startswith(word))
        except (OSError, StopIteration, ValueError):
            continue
    return None


def first_to_die(pid: int) -> None:
    """Makes a process and its children the kernel's first choice when memory runs out, so that we live to report."""
    try:
        with open(f'/proc/{pid}/oom_score_adj', 'w', encoding='ascii') as file:
            file.write('1000')
    except OSError:
        pass

"""What only the kernel of Linux offers. Everything here is best effort and does nothing elsewhere."""

import os

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36


def wipe_variable(name):
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


def guard():
    """Closes this process to its own job (same user: /proc/<pid>/mem), and adopts the job's orphans."""
    try:
        import ctypes

        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass


def process_start():
    """Start of this process in clock ticks since boot: field 22 of /proc/self/stat (proc_pid_stat(5)), or None."""
    try:
        with open('/proc/self/stat', 'rb') as file:
            return int(file.read().rpartition(b')')[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def children():
    """Process ids of this process's children."""
    found = []
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


def oom_kills():
    """How often the kernel killed for memory in this cgroup (v2, memory.events), or None where that is not known."""
    try:
        with open('/proc/self/cgroup', encoding='ascii') as file:
            path = next(line[3:].strip() for line in file if line.startswith('0::'))
        with open(f'/sys/fs/cgroup{path.rstrip("/")}/memory.events', encoding='ascii') as file:
            return next(int(line.split()[1]) for line in file if line.startswith('oom_kill '))
    except (OSError, StopIteration, ValueError, IndexError):
        return None

from __future__ import annotations

import os
import stat
import time

PREFIX = 'lamplighter-'
YOUNG_S = 60.0
MOST_SWEPT = 20
_held: list[int] = []  # descriptors whose locks say that their directories are in use; they end with the process


def make() -> str:
    """A fresh private directory (0700) with `work` in it, where the job runs. Returns its path."""
    base = os.path.join(_parent(), f'{PREFIX}{os.urandom(8).hex()}')
    os.mkdir(base, 0o700)
    fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    _held.append(fd)
    _lock(fd)
    os.mkdir(os.path.join(base, 'work'), 0o700)
    return base


def sweep() -> None:
    """Removes what shims left behind that were killed before they could: directories like ours, of this user, that no
    shim holds and no process works in. Raises nothing."""
    swept = 0
    try:
        entries = [entry for entry in os.scandir(_parent()) if entry.name.startswith(PREFIX)]
    except OSError:
        return
    for entry in entries:
        try:
            status = entry.stat(follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or swept >= MOST_SWEPT:
                continue
            # Between its making and its lock a directory looks abandoned.
            if time.time() - status.st_mtime < YOUNG_S:
                continue
            fd = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if _lock(fd) and not _worked_in(entry.path):
                remove(entry.path)
                swept += 1
        finally:
            os.close(fd)


def _parent() -> str:
    return os.environ.get('TMPDIR') or '/tmp'


def _lock(fd: int) -> bool:
    """Whether the lock is ours now. On a file system without locks it never is, and nothing is swept."""
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False


def _worked_in(base: str) -> bool:
    """Whether a process has its working directory there: a job may outlive a shim that was killed."""
    try:
        names = [name for name in os.listdir('/proc') if name.isdigit()]
    except OSError:
        return True
    for name in names:
        try:
            if os.readlink(f'/proc/{name}/cwd').startswith(f'{base}/'):
                return True
        except OSError:
            continue
    return False


def parts_of(path: str) -> list[str]:
    """The names in a relative path that stays inside its directory. Raises ValueError for any other path."""
    parts = path.split('/')
    if not path or '\0' in path or '\\' in path or any(part in ('', '.', '..') for part in parts):
        raise ValueError(f'"{path}" is not a plain path inside the work directory')
    return parts


def write(root: str, path: str, data: bytes, mode: int = 0o600, replace: bool = False) -> None:
    """Writes a file below `root`, making its directories. Raises ValueError for a path that leads out of it."""
    parts = parts_of(path)
    target = os.path.join(root, *parts)
    os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
    over = os.O_TRUNC if replace else os.O_EXCL
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | over, mode)
    with open(fd, 'wb') as file:
        file.write(data)


def remove(path: str) -> None:
    """Removes a tree, its read-only directories too; follows no link and gives up silently on what will not go."""
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
            return
        try:
            entries = list(os.scandir(path))
        except PermissionError:
            os.chmod(path, 0o700)
            entries = list(os.scandir(path))
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                remove(entry.path)
                continue
            try:
                os.unlink(entry.path)
            except PermissionError:
                os.chmod(path, 0o700)
                os.unlink(entry.path)
        os.rmdir(path)
    except RecursionError:
        import shutil

        shutil.rmtree(path, ignore_errors=True)
    except PermissionError:
        try:
            os.chmod(os.path.dirname(path), 0o700)
            os.rmdir(path)
        except OSError:
            pass
    except OSError:
        pass

import os
import stat


def make():
    """A fresh private directory (0700) with `work` in it, where the job runs. Returns its path."""
    base = os.path.join(os.environ.get('TMPDIR') or '/tmp', f'lamplighter-{os.urandom(8).hex()}')
    os.mkdir(base, 0o700)
    os.mkdir(os.path.join(base, 'work'), 0o700)
    return base


def parts_of(path):
    """The names in a relative path that stays inside its directory. Raises ValueError for any other path."""
    parts = path.split('/')
    if not path or '\0' in path or '\\' in path or any(part in ('', '.', '..') for part in parts):
        raise ValueError(f'"{path}" is not a plain path inside the work directory')
    return parts


def write(root, path, data, mode=0o600, replace=False):
    """Writes a file below `root`, making its directories. Raises ValueError for a path that leads out of it."""
    parts = parts_of(path)
    target = os.path.join(root, *parts)
    os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
    over = os.O_TRUNC if replace else os.O_EXCL
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | over, mode)
    with open(fd, 'wb') as file:
        file.write(data)


def remove(path):
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

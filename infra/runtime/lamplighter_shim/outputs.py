"""Keeps the files that the job was declared to write."""

from __future__ import annotations

import hashlib
import os
import stat

from .failure import NoTable, NotProfiled
from .storage import Away, FileBody, Refused
from .workdir import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Clean, KeptOutput, Spec, Tick, WantedOutput
    from .storage import Storage


MOST_BYTES = 100 << 20


def keep_outputs(spec: Spec, storage: Storage, root: str, clean: Clean, heartbeat: Tick) -> list[KeptOutput]:
    """A KeptOutput for each declared output below `root`. `heartbeat()` is called in between. Raises nothing."""
    kept: list[KeptOutput] = []
    for wanted in spec['outputs']:
        heartbeat()
        entry: KeptOutput = {'path': wanted['path']}
        try:
            _keep(entry, wanted, storage, root, clean)
        except Exception as error:  # one file must not cost the result
            entry['problem'] = clean(f'could not be kept: {type(error).__name__}: {error}')[:500]
        kept.append(entry)
    return kept


def _keep(entry: KeptOutput, wanted: WantedOutput, storage: Storage, root: str, clean: Clean) -> None:
    try:
        fd = open_inside(root, wanted['path'])
    except FileNotFoundError:
        entry['problem'] = 'declared in outputs but not written'
        return
    except (OSError, ValueError) as error:
        entry['problem'] = f'not read: {refusal(error)}'
        return
    with open(fd, 'rb') as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            entry['problem'] = f'not read: it is a {kind_of(status.st_mode)}, and only a regular file is kept'
            return
        entry['bytes'] = status.st_size
        problems = []
        if status.st_size > MOST_BYTES:
            problems.append(f'not kept: {status.st_size} bytes, and at most {MOST_BYTES} are kept')
        else:
            digest = hashlib.sha256()
            while chunk := file.read(1 << 20):
                digest.update(chunk)
            try:
                storage.create(wanted['url'], FileBody(fd, status.st_size))
                entry['sha256'] = digest.hexdigest()
            except (Away, Refused) as why:
                problems.append(f'not kept: {why}')
        from .profile import profile

        try:
            file.seek(0)
            found = profile(wanted['path'], file, status.st_size, clean)
            if found:
                entry['profile'] = found
        except NoTable:
            pass
        except NotProfiled as why:
            problems.append(clean(f'not profiled: {why}')[:500])
        except Exception as error:  # whatever the file holds, it is no reason to fail
            problems.append(clean(f'not profiled: {type(error).__name__}: {error}')[:500])
        if problems:
            entry['problem'] = '; '.join(problems)


def open_inside(root: str, path: str) -> int:
    """Opens a file below `root` for reading, through no symbolic link. Raises OSError, ValueError."""
    *folders, name = parts_of(path)
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for folder in folders:
            below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        if not stat.S_ISREG(mode := os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
            raise ValueError(f'it is a {kind_of(mode)}, and only a regular file is kept')
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    finally:
        os.close(at)


def refusal(error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, NotADirectoryError):
        return 'a part of its path is a symbolic link or no directory'
    return os.strerror(error.errno) if error.errno else str(error)


def kind_of(mode: int) -> str:
    for test, name in (
        (stat.S_ISLNK, 'symbolic link'),
        (stat.S_ISDIR, 'directory'),
        (stat.S_ISFIFO, 'FIFO'),
        (stat.S_ISSOCK, 'socket'),
    ):
        if test(mode):
            return name
    return 'device'

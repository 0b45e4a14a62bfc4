"""The attempt's own directory on the machine that started it: each address is a file: URL."""

from __future__ import annotations

import errno
import os

from .storage import CHUNK, FileBody, Passing, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .shapes import Sink


# What a later try would hear again. Anything else (a full disk, one that went read-only, no descriptor left) may pass.
STANDING = {errno.EACCES, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR, errno.EPERM}


class Directory:
    """A storage driver. Not for several threads at once. What it has stored survives a power cut: written under
    another name, flushed, and only then given its own."""

    def __init__(self) -> None:
        self._log: int | None = None

    def create(self, url: str, body: bytes | FileBody, content_type: str) -> bool:
        path = path_of(url)
        try:
            _make(os.path.dirname(path))
            passing = _write(path, (body,) if isinstance(body, bytes) else body.chunks(), flush=True)
            try:
                os.link(passing, path)
            except FileExistsError:
                return False
            finally:
                os.unlink(passing)
            _flush_directory(os.path.dirname(path))
            return True
        except OSError as error:
            raise _failure(error) from error
        except EOFError as error:
            raise Refused(str(error)) from error

    def read(self, url: str, sink: Sink) -> None:
        try:
            fd = os.open(path_of(url), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                while chunk := os.read(fd, CHUNK):
                    sink(chunk)
            finally:
                os.close(fd)
        except OSError as error:
            raise _failure(error) from error

    def put(self, url: str, body: bytes) -> None:
        path = path_of(url)
        try:
            os.replace(_write(path, (body,), flush=False), path)
        except OSError as error:
            raise _failure(error) from error

    def append(self, url: str, offset: int, data: bytes) -> None:
        try:
            if self._log is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
                self._log = os.open(path_of(url), flags, 0o600)
                _flush_directory(os.path.dirname(path_of(url)))
            _write_at(self._log, data, offset)
            os.fdatasync(self._log)
        except OSError as error:
            raise _failure(error) from error

    def show(self, url: str, data: bytes) -> None:
        try:
            fd = os.open(path_of(url), os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                _write_at(fd, data, 0)
            finally:
                os.close(fd)
        except OSError:
            pass


def path_of(url: str) -> str:
    """The path that a file: URL stands for. Raises ValueError."""
    if not url.startswith('file:///'):
        raise ValueError('an address must begin with file:///')
    head, *rest = url[7:].encode().split(b'%')
    return os.fsdecode(head + b''.join(bytes((int(part[:2], 16),)) + part[2:] for part in rest))


def _make(folder: str) -> None:
    """A directory with those above it, each for this user alone (os.makedirs gives its mode to the last one only)."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except FileNotFoundError:
        _make(os.path.dirname(folder))
        os.mkdir(folder, 0o700)


def _write(path: str, parts: Iterable[bytes], flush: bool) -> str:
    """Writes a file beside `path`. Returns its name. Raises OSError, EOFError, and then leaves nothing."""
    folder, name = os.path.split(path)
    passing = os.path.join(folder, f'.{name[:60]}.{os.urandom(6).hex()}')
    fd = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        at = 0
        for part in parts:
            at = _write_at(fd, part, at)
        if flush:
            os.fsync(fd)
    except BaseException:
        os.unlink(passing)
        raise
    finally:
        os.close(fd)
    return passing


def _write_at(fd: int, data: bytes, at: int) -> int:
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, at)
        at, view = at + done, view[done:]
    return at


def _flush_directory(folder: str) -> None:
    """A new name is on the disk only when its directory is."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _failure(error: OSError) -> Passing | Refused:
    what = f'{error.filename}: {error.strerror}' if error.filename else str(error.strerror or error)
    if error.errno in STANDING:
        return Refused(what, absent=error.errno == errno.ENOENT)
    return Passing(what)

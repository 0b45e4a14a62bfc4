"""Reads a bundle: a zip archive held in memory."""

from __future__ import annotations

import io
import stat
import zlib
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


MOST_BYTES = 1 << 30


class BadZip(Exception):
    pass


def entries(archive: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """Yields (path, bytes, executable) of each file. Raises BadZip for what a bundle never holds.

    Whether a path is safe is for the writer to judge; links and special files are refused here.
    """
    try:
        book = ZipFile(io.BytesIO(archive))
    except (BadZipFile, ValueError) as error:
        raise BadZip(f'it is not a zip archive, or it is cut off: {error}') from error
    # No file yields more than its directory entry says, so this sum is a limit that holds.
    if sum(entry.file_size for entry in book.infolist()) > MOST_BYTES:
        raise BadZip('it unpacks to more than 1 GiB')
    for entry in book.infolist():
        name = entry.orig_filename  # `filename` ends at a NUL byte and so may be another
        mode = entry.external_attr >> 16 if entry.create_system == 3 else 0
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise BadZip(f'"{name}" is a link or a special file')
        if entry.flag_bits & 1 or entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise BadZip(f'"{name}" is encrypted or packed in an unknown way')
        if entry.is_dir():
            continue
        try:
            data = book.read(entry)
        except (BadZipFile, EOFError, NotImplementedError, ValueError, zlib.error) as error:
            raise BadZip(f'"{name}" is damaged: {error}') from error
        yield name, data, bool(mode & 0o111)

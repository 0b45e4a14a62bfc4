"""Reads files that hold a table, row by row."""

from __future__ import annotations

import io
import json

from .failure import NoTable, NotProfiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, BinaryIO


MOST_BYTES = 50 << 20
LONGEST_LINE = 1 << 20
FORMATS = {'csv': 'csv', 'tsv': 'tsv', 'json': 'json', 'jsonl': 'jsonl', 'ndjson': 'jsonl', 'xlsx': 'xlsx'}


class Table:
    """`rows` yields lists of cells. `names()` and `partial()` are right once the rows were read. `plain`: all cells
    are text."""

    def __init__(
        self,
        format: str,
        rows: Iterable[list[Any]],
        names: Callable[[], list[str]],
        partial: Callable[[], bool],
        plain: bool = False,
    ) -> None:
        self.format, self.rows, self.names, self.partial, self.plain = format, rows, names, partial, plain


def read_table(path: str, file: BinaryIO, size: int) -> Table | None:
    """A Table for an open binary file, or None when its name is that of no table. Raises NotProfiled."""
    format = FORMATS.get(path.rpartition('.')[2].lower())
    if format is None:
        return None
    if format in ('csv', 'tsv'):
        return _separated(format, file, size)
    if format == 'xlsx':
        from .xlsx import read_sheet

        names, rows = read_sheet(file)
        return Table(format, rows, lambda: names, lambda: False)
    if format == 'jsonl':
        lines = _Lines(file, 'utf-8-sig')
        return _records(format, _parsed(lines), lambda: lines.cut)
    if size > MOST_BYTES:
        raise NotProfiled(f'JSON of {size} bytes cannot be read in parts; write JSON lines (.jsonl) instead')
    try:
        found = json.loads(file.read().decode('utf-8-sig'))
    except (ValueError, RecursionError) as error:
        raise NotProfiled(f'not valid JSON: {error}') from None
    if not isinstance(found, list) or (found and not any(isinstance(record, dict) for record in found)):
        raise NoTable
    return _records(format, found, lambda: False)


class _Lines:
    """Lines of a text, as far as MOST_BYTES; `cut` says afterwards whether there was more."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._text, self.cut = io.TextIOWrapper(io.BufferedReader(_Kept(file)), encoding, 'replace', newline=''), False

    def __iter__(self) -> Iterator[str]:
        read = 0
        while line := self._text.readline(LONGEST_LINE):
            read += len(line)
            if read > MOST_BYTES:
                self.cut = True
                return
            yield line


class _Kept(io.RawIOBase):
    """A file that survives the text wrapper around it, which would close it when it goes."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, space: Any) -> int:
        return int(self._file.readinto(space))


def _separated(format: str, file: BinaryIO, size: int) -> Table:
    import csv

    sample = file.read(1 << 16)
    file.seek(0)
    encoding = _encoding(sample, size)
    first = sample.decode(encoding, 'replace').lstrip('\ufeff').partition('\n')[0]
    # The header decides: unlike what csv.Sniffer guesses at, names of columns seldom hold separators.
    delimiter = '\t' if format == 'tsv' else max(',;\t|', key=first.count)
    lines = _Lines(file, encoding)
    rows = csv.reader(lines, delimiter=delimiter)
    names = next(rows, [])
    return Table(format, _filled(rows), lambda: names, lambda: lines.cut, plain=True)


def _filled(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows without the empty lines between them, which csv gives as []."""
    return (row for row in rows if row)


def _encoding(sample: bytes, size: int) -> str:
    if sample[:2] in (b'\xff\xfe', b'\xfe\xff'):
        return 'utf-16'
    import codecs

    try:
        codecs.getincrementaldecoder('utf-8')().decode(sample, final=len(sample) >= size)
        return 'utf-8-sig'
    except UnicodeDecodeError:
        return 'cp1252'  # what Excel writes as "CSV" on a Western Windows


def _parsed(lines: Iterable[str]) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                raise NotProfiled(f'line {number} is not valid JSON: {error}') from None


def _records(format: str, records: Iterable[Any], partial: Callable[[], bool]) -> Table:
    names: dict[str, int] = {}

    def rows() -> Iterator[list[Any]]:
        for number, record in enumerate(records, 1):
            if not isinstance(record, dict):
                if number == 1 and format == 'jsonl':
                    raise NoTable
                raise NotProfiled(f'entry {number} is not an object')
            for name in record:
                names.setdefault(name, len(names))
            row: list[Any] = [None] * len(names)
            for name, value in record.items():
                row[names[name]] = json.dumps(value)[:200] if isinstance(value, (dict, list)) else value
            yield row

    return Table(format, rows(), lambda: list(names), partial)

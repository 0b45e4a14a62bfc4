"""Reads the first sheet of an .xlsx workbook (ECMA-376) with what Python has on board.

A workbook is a zip of XML made by another's program: sizes are checked while unpacking, not believed, and
document types are refused, so that neither a zip bomb nor an entity bomb gets anywhere.
"""

from __future__ import annotations

import zipfile
from xml.parsers import expat

from .failure import NotProfiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO
    from zipfile import ZipFile


MOST_BYTES = 200 << 20
MOST_SHARED = 64 << 20
MOST_COLUMNS = 100
CHUNK = 1 << 16


def read_sheet(file: BinaryIO) -> tuple[list[str], Iterator[list[Any]]]:
    """(names from the first row, an iterator over the other rows). Raises NotProfiled."""
    try:
        book = zipfile.ZipFile(file)
        rows = _rows(book, _first_sheet(book), _shared(book))
        return [('' if name is None else str(name)) for name in next(rows, [])], rows
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise NotProfiled(f'not a workbook that can be read: {error}') from None


def _first_sheet(book: ZipFile) -> str:
    targets: dict[str | None, str] = {}
    sheets: list[str | None] = []

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name == 'Relationship':
            targets[attributes.get('Id')] = attributes.get('Target', '')

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if name == 'sheet':
            sheets.append(next((value for key, value in attributes.items() if key.endswith(':id')), None))

    _drain(_parse(book, 'xl/_rels/workbook.xml.rels', relation))
    _drain(_parse(book, 'xl/workbook.xml', sheet))
    target = targets.get(sheets[0], '') if sheets else ''
    if not target:
        raise NotProfiled('the workbook has no sheet')
    return target.lstrip('/') if target.startswith('/') else f'xl/{target}'


def _shared(book: ZipFile) -> list[str]:
    texts: list[str] = []
    parts: list[str] = []
    size = 0
    phonetic = False

    def start(name: str, _: object) -> None:
        nonlocal phonetic
        if name == 'si':
            parts.clear()
        phonetic = phonetic or name == 'rPh'

    def end(name: str) -> None:
        nonlocal size, phonetic
        if name == 'rPh':
            phonetic = False
        elif name == 'si':
            texts.append(''.join(parts)[:200])
            size += 64 + len(texts[-1])
            if size > MOST_SHARED:
                raise NotProfiled('the workbook holds too much text')

    def data(text: str, name: str) -> None:
        if name == 't' and not phonetic:
            parts.append(text)

    if 'xl/sharedStrings.xml' in book.namelist():
        _drain(_parse(book, 'xl/sharedStrings.xml', start, end, data))
    return texts


def _rows(book: ZipFile, path: str, shared: list[str]) -> Iterator[list[Any]]:
    done: list[list[Any]] = []
    row: list[Any] = []
    cell: dict[str, Any] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == 'row':
            row.clear()
        elif name == 'c':
            cell.update(at=_column(attributes.get('r', ''), len(row)), type=attributes.get('t', 'n'), parts=[])

    def end(name: str) -> None:
        if name == 'row':
            done.append(list(row))
        elif name == 'c' and cell['at'] < MOST_COLUMNS:
            row.extend([None] * (cell['at'] + 1 - len(row)))
            row[cell['at']] = _value(cell['type'], ''.join(cell['parts']), shared)

    def data(text: str, name: str) -> None:
        if name in ('v', 't') and cell:
            cell['parts'].append(text)

    for _ in _parse(book, path, start, end, data):
        yield from (found for found in done if any(value is not None for value in found))
        done.clear()


def _value(kind: str, text: str, shared: list[str]) -> str | float | bool | None:
    if text == '' or kind == 'e':
        return None
    if kind == 's':
        index = int(text)
        return shared[index] if 0 <= index < len(shared) else None
    if kind == 'b':
        return text == '1'
    return float(text) if kind == 'n' else text[:200]


def _column(reference: str, following: int) -> int:
    """0 for A1, 26 for AA1; a cell may leave its reference out and then follows the one before."""
    number = 0
    for letter in reference[:4]:
        if not 'A' <= letter <= 'Z':
            break
        number = number * 26 + ord(letter) - 64
    return number - 1 if number else following


def _parse(
    book: ZipFile,
    path: str,
    start: Callable[[str, dict[str, str]], object],
    end: Callable[[str], object] | None = None,
    data: Callable[[str, str], object] | None = None,
) -> Iterator[None]:
    """Feeds one part of the workbook to the handlers, yielding after each chunk. Element names come bare."""
    parser = expat.ParserCreate()
    open_names: list[str] = []
    parser.buffer_text = True

    def started(name: str, attributes: dict[str, str]) -> None:
        open_names.append(name.rpartition(':')[2])
        start(open_names[-1], attributes)

    def ended(_: object) -> None:
        name = open_names.pop()
        if end:
            end(name)

    def refuse(*_: object) -> None:
        raise NotProfiled('the workbook declares a document type, which no spreadsheet program does')

    parser.StartElementHandler, parser.EndElementHandler = started, ended
    parser.StartDoctypeDeclHandler = refuse
    if data:
        parser.CharacterDataHandler = lambda text: open_names and data(text, open_names[-1])
    read = 0
    try:
        with book.open(path) as part:
            while chunk := part.read(CHUNK):
                read += len(chunk)
                if read > MOST_BYTES:
                    raise NotProfiled(f'{path} unpacks to more than {MOST_BYTES >> 20} MiB')
                parser.Parse(chunk, False)
                yield
            parser.Parse(b'', True)
            yield
    except (expat.ExpatError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise NotProfiled(f'{path}: {error}') from None


def _drain(steps: Iterator[None]) -> None:
    for _ in steps:
        pass

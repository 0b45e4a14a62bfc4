"""Describes a table by its columns, so that drift in what a job writes shows without touching its script. Pure."""

from __future__ import annotations

import math
from collections import Counter
from itertools import zip_longest

from .tables import read_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from .shapes import Clean, Profile
    from .shapes import Column as ColumnShape


MOST_ROWS = 200_000
MOST_CELLS = 3_000_000
MOST_COLUMNS = 100
MOST_DISTINCT = 200_000
LONGEST_TEXT = 100
TOP = 10
BATCH = 500
EMPTY = frozenset(('', 'nan', 'null', 'none'))


def profile(path: str, file: BinaryIO, size: int, clean: Clean) -> Profile | None:
    """An OutputProfile of an open binary file of `size` bytes, or None when its name is not that of a table.

    `clean` takes secrets out of a text. Raises NotProfiled with the reason, and what readers of formats raise.
    """
    table = read_table(path, file, size)
    if table is None:
        return None
    columns: list[Column] = []
    batch: list[list[Any]] = []
    rows, width, partial = 0, 1, False
    for row in table.rows:
        if rows >= MOST_ROWS or rows * width >= MOST_CELLS:
            partial = True
            break
        rows += 1
        batch.append(row[:MOST_COLUMNS])
        width = max(width, len(batch[-1]))
        if len(batch) == BATCH:
            _add(columns, batch, table.plain)
            batch.clear()
    _add(columns, batch, table.plain)
    names = [str(name) for name in table.names()[:MOST_COLUMNS]]
    columns += [Column() for _ in range(len(names) - len(columns))]
    names += [f'column {number}' for number in range(len(names) + 1, len(columns) + 1)]
    described: list[ColumnShape] = []
    for number, (name, column) in enumerate(zip(names, columns), 1):
        described.append({'name': clean(name or f'column {number}')[:LONGEST_TEXT]})
        described[-1].update(column.describe(rows, clean))
    return {'format': table.format, 'rows': rows, 'columns': described, 'partial': partial or table.partial()}


def _add(columns: list[Column], rows: list[list[Any]], plain: bool) -> None:
    """Adds rows, column by column. Most cells say what others have said already, and counting alone is quick.

    `plain`: every cell is text. Other ones are taken one by one, as 1 and true are the same to a dictionary.
    """
    for index, cells in enumerate(zip_longest(*rows)):
        if index == len(columns):
            columns.append(Column())
        add = columns[index].add
        if plain:
            for value, times in Counter(cells).items():
                add(value, times)
        else:
            for value in cells:
                add(value)


class Column:
    """The figures of one column, gathered in constant memory."""

    __slots__ = ('booleans', 'counts', 'high', 'low', 'mean', 'numbers', 'square', 'texts')

    def __init__(self) -> None:
        self.numbers = self.booleans = self.texts = 0
        self.mean = self.square = 0.0
        self.low, self.high = math.inf, -math.inf
        self.counts: dict[str, int] | None = {}

    def add(self, value: Any, times: int = 1) -> None:
        """Takes a cell: text as in CSV, a number, a boolean, None for an empty one, or anything JSON holds.

        `times`: this many cells are like it.
        """
        if isinstance(value, str):
            value = value.strip()
            lower = value.lower() if len(value) <= 5 else value
            if lower in EMPTY:
                return
            if lower in ('true', 'false'):
                self.booleans += times
                value = lower
            else:
                number = _number(value)
                if number is None:
                    self.texts += times
                    value = value[:LONGEST_TEXT]
                else:
                    self._measure(number, times)
        elif value is None or value != value:
            return
        elif isinstance(value, bool):
            self.booleans += times
            value = 'true' if value else 'false'
        elif isinstance(value, (int, float)) and abs(value) < 1e300:
            self._measure(float(value), times)
            value = str(value)
        else:
            self.texts += times
            value = str(value)[:LONGEST_TEXT]
        counts = self.counts
        if counts is not None:
            counts[value] = counts.get(value, 0) + times
            if len(counts) > MOST_DISTINCT // MOST_COLUMNS * 5:
                self.counts = None  # too many different ones to count, or to mean anything

    def _measure(self, number: float, times: int) -> None:
        # Welford 1962, with West's weights (1979): no loss of digits when the spread is small beside the mean.
        self.numbers += times
        step = number - self.mean
        self.mean += step * times / self.numbers
        self.square += times * step * (number - self.mean)
        if number < self.low:
            self.low = number
        if number > self.high:
            self.high = number

    def describe(self, rows: int, clean: Clean) -> ColumnShape:
        """The figures as OutputProfile wants them, apart from the name."""
        filled = self.numbers + self.booleans + self.texts
        kinds = [
            kind
            for kind, count in (('number', self.numbers), ('boolean', self.booleans), ('text', self.texts))
            if count
        ]
        kind = 'empty' if not kinds else kinds[0] if len(kinds) == 1 else 'mixed'
        found: ColumnShape = {'type': kind, 'nulls': round((rows - filled) / rows, 6) if rows else 0}
        if kind == 'number':
            sd = math.sqrt(max(self.square, 0) / self.numbers) if self.square < math.inf else math.inf
            if _tells(self.low, clean):
                found['min'] = self.low
            if _tells(self.high, clean):
                found['max'] = self.high
            if _tells(self.mean, clean):
                found['mean'] = self.mean
            if _tells(sd, clean):
                found['sd'] = sd
        if filled and self.counts is not None:
            found['distinct'] = len(self.counts)
            if kind != 'number':
                top = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:TOP]
                found['top'] = [[_shown(text, clean), count] for text, count in top]
        return found


def _tells(figure: float, clean: Clean) -> bool:
    """Whether a figure is one, and no secret in digits."""
    return math.isfinite(figure) and clean(_text(figure)) != '***'


def _shown(text: str, clean: Clean) -> str:
    return clean(text, True) if len(text) >= LONGEST_TEXT else clean(text)


def _text(figure: float) -> str:
    return str(int(figure)) if figure.is_integer() else str(figure)


def _number(text: str) -> float | None:
    """The number that a cell holds, or None. Digits behind a leading zero are a code, not a number."""
    first = text[0]
    if first not in '0123456789+-.' or '_' in text or (first == '0' and text[1:2].isdigit()):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e300 else None

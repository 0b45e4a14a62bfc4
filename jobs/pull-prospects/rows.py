"""Reads tables of prospects (CSV, UTF-8) and says exactly which cell is wrong."""

import csv
import io


class Problem(Exception):
    """Something a person has to fix; the text says where, what, and what was expected."""


class Row(dict):
    """One row, column → text; `place` is its file and line, for messages."""

    def __init__(self, columns, cells, place):
        if len(cells) != len(columns):
            raise Problem(f'{place}: {len(cells)} cells, expected {len(columns)} as in the header')
        super().__init__(zip(columns, cells))
        self.place = place

    def number(self, column, low, high):
        """The cell as a whole number from `low` to `high`."""
        text = self[column]
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise Problem(f'{self.place}: {column} is "{text[:60]}", expected a whole number from {low} to {high}')
        return value

    def text(self, column):
        """The cell's text, which must not be empty."""
        if not self[column].strip():
            raise Problem(f'{self.place}: {column} is empty, expected a value')
        return self[column]


def load(path, if_missing):
    """The bytes of the file at `path`; `if_missing` says what to do when it is not there."""
    try:
        with open(path, 'rb') as file:
            data = file.read()
    except FileNotFoundError:
        raise Problem(f'{path}: no such file. {if_missing}') from None
    except OSError as error:
        # Not the same as missing: the share may be unavailable, so trying again can help.
        raise Problem(f'{path}: cannot be read ({error.strerror}). Check access to it, then run again') from None
    if not data.strip():
        raise Problem(f'{path}: the file is empty, expected a header line. {if_missing}')
    return data


def decode(data, name, line=1):
    """Bytes → text; a byte order mark, as Excel writes it, is dropped. `line` is the number of the first line."""
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line += data.count(b'\n', 0, error.start)
        found = data[error.start : error.start + 1].hex()
        raise Problem(f'{name}, line {line}: byte 0x{found} is not UTF-8. Save the file as "CSV UTF-8"') from None


def check_columns(columns, needed, name):
    """Refuses a header that lacks a needed column or has one twice."""
    missing = [column for column in needed if column not in columns]
    if missing:
        hint = '. The cells must be separated by commas, not semicolons' if ';' in ''.join(columns) else ''
        raise Problem(f'{name}, line 1: no column {", ".join(missing)}; found {", ".join(columns)[:200]}{hint}')
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise Problem(f'{name}, line 1: column {", ".join(twice)} is there twice, expected once')


def parse(text, name, needed):
    """Yields the rows of a CSV text that has at least the `needed` columns; blank lines are left out."""
    reader = csv.reader(io.StringIO(text, newline=''), strict=True)
    columns, line = None, 1
    try:
        for cells in reader:
            if columns is None:
                columns = cells
                check_columns(columns, needed, name)
            elif cells:
                yield Row(columns, cells, f'{name}, line {line}')
            line = reader.line_num + 1
    except csv.Error as error:
        raise Problem(f'{name}, line {line}: not CSV ({error}). Export the file again') from None

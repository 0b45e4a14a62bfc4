"""Reads $JOB_METRICS. Whatever the job has put there, the run goes on."""

from __future__ import annotations

import json
import math
import os
import re
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .shapes import Clean, Metric


MOST_BYTES = 1 << 20
MOST_METRICS = 200
MOST_CATEGORIES = 100
LONGEST_CATEGORY = 100
MOST_PROBLEMS = 20
NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_.-]{0,63}')
# Names with a meaning of their own in the JavaScript that reads the result.
TABOO = frozenset(('__proto__', 'constructor', 'prototype'))


def read_metrics(path: str, clean: Clean) -> tuple[dict[str, Metric], list[str]]:
    """(metrics, problems) from the file, which may be missing. `clean` takes secrets out of a text."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        return {}, [f'the metrics file could not be read: {error.strerror}']
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        return {}, ['the metrics file is not a regular file']
    with open(fd, 'rb') as file:
        data = file.read(MOST_BYTES)
    metrics, problems = parse_metrics(data, clean)
    if status.st_size > MOST_BYTES:
        problems.insert(0, f'the metrics file has {status.st_size} bytes, and only the first {MOST_BYTES} were read')
    return metrics, problems[:MOST_PROBLEMS]


def parse_metrics(data: bytes, clean: Clean) -> tuple[dict[str, Metric], list[str]]:
    """(metrics, problems) from the file's bytes. A line cut off by the limit is left out."""
    if len(data) >= MOST_BYTES:
        data = data[: data.rfind(b'\n') + 1]
    metrics: dict[str, Metric] = {}
    problems: list[str] = []
    for number, line in enumerate(data.decode('utf-8-sig', 'replace').split('\n'), 1):
        line = line.strip()
        if not line:
            continue

        def problem(reason: str, line: str = line, number: int = number) -> None:
            if len(problems) < MOST_PROBLEMS:
                # First clean, then cut: the beginning of a secret is one, too.
                problems.append(f'line {number}: {json.dumps(_short(clean(line)), ensure_ascii=False)}: {reason}')

        for name, value in _pairs(line, problem):
            if not isinstance(name, str) or not NAME.fullmatch(name) or name in TABOO or clean(name) != name:
                problem('a name is a letter or _, then letters, digits, _ . -, at most 64 characters')
            elif name not in metrics and len(metrics) >= MOST_METRICS:
                problem(f'more than {MOST_METRICS} metrics')
            elif isinstance(value, dict):
                mix = _mix(value, problem, clean)
                if mix:
                    metrics[name] = mix
            elif (figure := number_of(value)) is None:
                problem('not a number')
            elif clean(str(figure)) == '***':
                problem('the value is a secret')
            else:
                metrics[name] = figure
    return metrics, problems


def _pairs(line: str, problem: Callable[[str], None]) -> Iterable[tuple[Any, Any]]:
    if not line.startswith('{'):
        name, equals, value = line.partition('=')
        if not equals:
            problem('neither name=value nor a JSON object')
            return ()
        return ((name.strip(), value.strip()),)
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        problem('not valid JSON')
        return ()
    pairs: Iterable[tuple[Any, Any]] = found.items()
    return pairs


def _mix(value: dict[str, Any], problem: Callable[[str], None], clean: Clean) -> dict[str, float]:
    mix: dict[str, float] = {}
    for category, count in value.items():
        figure, label = number_of(count), clean(category)
        if figure is None:
            problem('not a number')
        elif clean(str(figure)) == '***':
            problem('the value is a secret')
        elif len(label) > LONGEST_CATEGORY or label in TABOO or '\0' in label:
            problem(f'a category has at most {LONGEST_CATEGORY} characters')
        elif label not in mix and len(mix) >= MOST_CATEGORIES:
            problem(f'more than {MOST_CATEGORIES} categories')
            break
        else:
            mix[label] = figure
    return mix


def number_of(value: Any) -> float | None:
    """A finite number from JSON or text (true is 1), or None. Beyond 2^53 as a float, as JavaScript reads it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        value = value.strip()
        if value.lower() in ('true', 'false'):
            return int(value.lower() == 'true')
        if '_' in value or len(value) > 100:
            return None
    elif not isinstance(value, (int, float)):
        return None
    try:
        figure = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(figure):
        return None
    return int(figure) if figure.is_integer() and abs(figure) <= 2**53 else figure


def _short(text: str) -> str:
    return text if len(text) <= 60 else f'{text[:57]}...'

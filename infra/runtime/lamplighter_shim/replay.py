"""Runs a job on its frozen examples. A program of its own, run by the job's Python; nothing of the shim is imported.

usage: python replay.py CONFIG, where CONFIG is JSON:
`{"command": [...], "examples": [...], "repeats": 1, "outputs": [...], "timeoutMs": 600000, "stopAfter": 3}`

Each example is run in a copy of the work directory, with golden/<example>/input laid over it. What it leaves is written
to lamplighter-replay.txt, JSON: `{"version": 1, "texts": {id: text}, "replays": [{"example", "repeat", "seconds",
"files": {path: id}} or {..., "problem", "kind"}]}`. The exit code is 0 whatever the examples answer.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any


REPORT = 'lamplighter-replay.txt'
WORD = 'lamplighter-replay'
MOST_FILE = 5 * 1000 * 1000
MOST_ALL = 16 * 1000 * 1000
MOST_SAID = 300


def program(command: list[str], python: str) -> list[str]:
    """The argv that runs this file with the job's interpreter. `command` is as the specification has it."""
    return [python, '-I', os.path.abspath(__file__), *command[1:]]


def redact(root: str, clean: Callable[[str], str]) -> None:
    """Takes the secrets out of the report. `clean` is the shim's."""
    path = os.path.join(root, REPORT)
    try:
        with open(path, encoding='utf-8') as file:
            text = file.read()
    except OSError:
        return
    cleaned = clean(text)
    if cleaned != text:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(cleaned)


class Report:
    """Equal texts are kept once: most replays of an example leave the same."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.replays: list[dict[str, Any]] = []
        self.room = MOST_ALL

    def keep(self, text: str) -> str:
        """The id of a text. Raises ValueError when there is no room."""
        key = hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:16]
        if key not in self.texts:
            if len(text) > self.room:
                raise ValueError(f'all answers together are larger than {MOST_ALL // 1_000_000} MB')
            self.room -= len(text)
            self.texts[key] = text
        return key

    def write(self) -> None:
        with open(REPORT, 'w', encoding='utf-8') as file:
            json.dump({'version': 1, 'texts': self.texts, 'replays': self.replays}, file)


def main(config: dict[str, Any]) -> None:
    report, child = Report(), Child()
    signal.signal(signal.SIGTERM, child.stop)
    late = 0
    for repeat in range(1, config['repeats'] + 1):
        for example in config['examples']:
            entry = {'example': example, 'repeat': repeat}
            report.replays.append(entry)
            if late >= config['stopAfter']:
                entry.update(problem=f'not tried, as {late} replays before it did not end in time', kind='late')
                continue
            began = time.monotonic()
            answer_of(config, example, entry, report, child)
            entry['seconds'] = round(time.monotonic() - began, 3)
            late += entry.get('kind') == 'late'
            print(f'{example}, replay {repeat}: {entry.get("problem", "answered")} ({entry["seconds"]} s)', flush=True)
    report.write()


def answer_of(config: dict[str, Any], example: str, entry: dict[str, Any], report: Report, child: Child) -> None:
    """Enters the files that one replay leaves, or its problem."""
    given = os.path.join('golden', example, 'input')
    if not os.path.isdir(given):
        entry.update(problem=f'{given} is missing', kind='missing')
        return
    place = tempfile.mkdtemp(prefix='replay-', dir=os.path.dirname(os.getcwd()))
    try:
        work = os.path.join(place, 'work')
        shutil.copytree('.', work, symlinks=True, ignore=leave_out)
        shutil.copytree(given, work, symlinks=True, dirs_exist_ok=True)
        for path in config['outputs']:
            if os.path.lexists(left := os.path.join(work, path)) and not os.path.isdir(left):
                os.remove(left)  # what lies there already is no answer of this replay
        if problem := child.run(config['command'], work, config['timeoutMs'] / 1000):
            entry.update(problem)
        else:
            entry['files'] = files_in(work, config['outputs'], report)
    except (OSError, ValueError, shutil.Error) as error:
        entry.update(problem=str(error)[:MOST_SAID], kind='left')
    finally:
        shutil.rmtree(place, ignore_errors=True)


def leave_out(folder: str, _names: list[str]) -> list[str]:
    return ['golden', REPORT] if folder == '.' else []


def files_in(work: str, outputs: list[str], report: Report) -> dict[str, str]:
    """Output → id of its text. One that was not written is left out. Raises ValueError, OSError."""
    files = {}
    for path in outputs:
        try:
            status = os.lstat(os.path.join(work, path))
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f'{path} is no regular file')
        if status.st_size > MOST_FILE:
            raise ValueError(f'{path} has {status.st_size} bytes, and at most {MOST_FILE} are compared')
        with open(os.path.join(work, path), 'rb') as file:
            files[path] = report.keep(file.read().decode('utf-8', 'replace'))
    return files


class Child:
    """The job's command in a session of its own, so that all that it started ends with it."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, command: list[str], work: str, limit_s: float) -> dict[str, str] | None:
        """None, or {problem, kind}."""
        argv = [
            sys.executable if word in ('python', 'python3') and at == 0 else word for at, word in enumerate(command)
        ]
        env = {**os.environ, 'JOB_REPLAY': '1', 'PYTHONHASHSEED': '0'}
        env.pop('JOB_SCHEDULED_FOR', None)  # the moment of a replay must not change its answers
        with open(os.path.join(os.path.dirname(work), 'errors'), 'w+b') as errors:
            try:
                self.process = subprocess.Popen(
                    argv,
                    cwd=work,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    start_new_session=True,
                )
            except OSError as error:
                return {'problem': f'cannot start {argv[0]}: {error.strerror}', 'kind': 'failed'}
            try:
                code = self.process.wait(limit_s)
            except subprocess.TimeoutExpired:
                return {'problem': f'not over after {limit_s:g} s', 'kind': 'late'}
            finally:
                self.end()
            if code == 0:
                return None
            end = errors.seek(0, os.SEEK_END)
            errors.seek(max(0, end - 2000))
            said = errors.read().decode('utf-8', 'replace').strip().splitlines()
            return {'problem': f'exit {code}: {said[-1] if said else ""}'[:MOST_SAID], 'kind': 'failed'}

    def end(self) -> None:
        """Kills what is left of its session."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.process.wait()

    def stop(self, number: int, _frame: FrameType | None) -> None:
        """On SIGTERM: the replay is being cancelled."""
        self.end()
        os._exit(128 + number)


if __name__ == '__main__':
    main(json.loads(sys.argv[1]))

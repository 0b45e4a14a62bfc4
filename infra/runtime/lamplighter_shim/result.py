"""The record of what happened, and its way to storage."""

from __future__ import annotations

import json
import sys
import time

from .clock import iso, now_ms
from .storage import Away, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .classify import Verdict
    from .log import Log
    from .shapes import Error, KeptOutput, Metric, Result, Spec, Suspect
    from .signals import Signals
    from .spool import Spool
    from .storage import Storage


MOST_BYTES = 512 * 1024
INLINE_BYTES = 64 * 1024
NUDGE_PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0)


class Facts:
    """What is known so far; `result` makes an AttemptResult of it. Times are ms since 1970."""

    def __init__(self, started_at: int) -> None:
        self.started_at = started_at
        self.job_started_at: int | None = None
        self.ended_at: int | None = None
        self.outcome = 'failed'
        self.exit_code: int | None = None
        self.signal: str | None = None
        self.error: Error | None = None
        self.suspect: Suspect | None = None
        self.cpu_ms, self.peak_bytes, self.python = 0.0, 0, '.'.join(map(str, sys.version_info[:3]))
        self.metrics: dict[str, Metric] = {}
        self.metric_problems: list[str] = []
        self.outputs: list[KeptOutput] = []
        self.inputs: dict[str, str] = {}

    def fail(self, error_class: str, message: str, detail: str, clean: Callable[[str], str]) -> None:
        """Notes why the attempt failed. `clean` takes secrets out of a text."""
        detail = clean(detail).encode('utf-8', 'replace')[-4096:].decode('utf-8', 'ignore')
        line = ' '.join(clean(message).split())[:1000]
        self.error = {'class': error_class, 'message': line, 'detail': detail}

    def judge(self, verdict: Verdict) -> None:
        """Notes why the job failed, by a Verdict on its redacted output."""
        self.error = {
            'class': verdict.error_class,
            'message': verdict.message,
            'detail': verdict.detail,
            'kind': verdict.kind,
            'fingerprint': verdict.fingerprint,
        }
        if verdict.parts:
            self.error['parts'] = verdict.parts
        if verdict.host:
            self.error['host'] = verdict.host

    def doubt(self, verdict: Verdict) -> None:
        """Notes the error that a job which ended well may have overlooked."""
        self.suspect = {'message': verdict.message, 'detail': verdict.detail, 'fingerprint': verdict.fingerprint}


def result_of(spec: Spec, facts: Facts, log: Log, text: str | None, calls: int) -> Result:
    result: Result = {
        'version': 1,
        'job': spec['job'],
        'run': spec['run'],
        'attempt': spec['attempt'],
        'outcome': facts.outcome,
        'exitCode': facts.exit_code,
        'signal': facts.signal,
        'error': facts.error,
        'startedAt': iso(facts.started_at),
        'jobStartedAt': None if facts.job_started_at is None else iso(facts.job_started_at),
        'endedAt': iso(facts.ended_at or now_ms()),
        'cpuMs': facts.cpu_ms,
        'peakMemoryBytes': facts.peak_bytes,
        'log': {'bytes': log.bytes, 'lines': log.lines, 'capped': log.capped, 'text': text},
        'metrics': facts.metrics,
        'metricProblems': facts.metric_problems,
        'outputs': facts.outputs,
        'inputs': facts.inputs,
        'python': facts.python,
        'storageCalls': calls,
    }
    if facts.suspect:
        result['suspect'] = facts.suspect
    return result


def inline_text(spool: Spool) -> str | None:
    """The whole log as text when it is short, clean UTF-8 and none of it is stored yet; else None."""
    if len(spool) > INLINE_BYTES:
        return None
    data = spool.peek(INLINE_BYTES)
    if b'\0' in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def encode(result: Result) -> bytes:
    """JSON of at most 512 KiB: what is least missed goes first, and says so where there is room to."""
    steps = (_without_tops, _without_profiles, _without_mixes, _without_problems)
    data = _json(result)
    for step in steps:
        if len(data) <= MOST_BYTES:
            break
        step(result)
        data = _json(result)
    return data


def _json(result: Result) -> bytes:
    # Lone surrogates cannot be sent as UTF-8.
    return json.dumps(result, ensure_ascii=False, separators=(',', ':'), allow_nan=False).encode('utf-8', 'replace')


def _without_tops(result: Result) -> None:
    for output in result['outputs']:
        for column in output.get('profile', {}).get('columns', ()):
            column.pop('top', None)


def _without_profiles(result: Result) -> None:
    for output in result['outputs']:
        if output.pop('profile', None):
            output['problem'] = '; '.join(
                filter(None, (output.get('problem'), 'not profiled: the result is too large'))
            )


def _without_mixes(result: Result) -> None:
    mixes = [name for name, value in result['metrics'].items() if isinstance(value, dict)]
    for name in mixes:
        del result['metrics'][name]
    if mixes:
        result['metricProblems'] = [f'{len(mixes)} mixes left out: the result is too large', *result['metricProblems']][
            :20
        ]


def _without_problems(result: Result) -> None:
    result['outputs'] = result['outputs'][:200]
    result['inputs'] = dict(list(result['inputs'].items())[:200])


def deliver(spec: Spec, storage: Storage, result: Result) -> bool:
    """Stores the result. Returns whether it is stored. Says why not on stderr."""
    result['storageCalls'] += 1
    try:
        storage.create(spec['blobs']['result'], encode(result), 'application/json')
        return True
    except (Away, Refused, ValueError) as why:
        print(f'lamplighter: the result was not delivered: {why}', file=sys.stderr)
        return False


def nudge(spec: Spec, signals: Signals) -> None:
    """Reports that the result is there. The service may be starting again just then, so this is tried a few times, for
    at most a quarter of a minute and not against a request to stop; losing it all the same only costs a minute."""
    if spec['nudge'] is None:
        return
    from .http1 import Broken, Http

    body = json.dumps({key: spec[key] for key in ('job', 'run', 'attempt')}).encode()
    http = Http(timeout=2.0, connect_timeout=2.0)
    for pause in NUDGE_PAUSES_S:
        if pause:
            time.sleep(pause)
        if pause and signals.stopped:
            break
        try:
            reply = http.exchange('POST', spec['nudge'], {'Content-Type': 'application/json'}, body)
            if reply.status < 500 and reply.status not in (408, 429):
                break
        except Broken:
            pass
        except ValueError:
            break
    http.close()

"""One attempt of a job, from top to bottom."""

from __future__ import annotations

import os
import time

from .clock import now_ms, span
from .environment import prepare
from .failure import Failure, Stopped
from .files import place_bundle, place_inputs
from .heartbeat import Heartbeat
from .jobenv import job_environment, resolve_secrets
from .linux import guard, memory_limit, oom_kills
from .log import Log
from .process import alone, kill_strays
from .redact import SHORTEST_SECRET, Redactor
from .result import Facts, deliver, inline_text, nudge, result_of
from .signals import Signals
from .spool import Spool
from .storage import open_storage
from .supervise import supervise
from .take import UNREACHABLE, take
from .uploader import Uploader
from .workdir import make, remove, sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Spec
    from .storage import Storage
    from .supervise import Ended
    from .ticket import Ticket


DELIVERED, UNDELIVERED = 0, 70


def run(spec: Spec, ticket: Ticket | None = None) -> int:
    """Runs the attempt and returns the shim's exit code: 0 the result is stored, 70 it is not, 75 the attempt is
    another's, 69 it could not be taken. `spec` is an AttemptSpec as a dict, read by the ticket if there is one.
    """
    signals = ticket.signals if ticket else Signals()
    facts = Facts(now_ms())
    storage = open_storage(spec['blobs']['started'], spec['deliverMs'], pause=signals.sleep)
    if ticket:
        storage.driver, storage.calls = ticket.addresses, ticket.storage.calls
    try:
        refused = take(spec, storage, facts.started_at)
    except Stopped:
        return UNREACHABLE
    if refused is not None:
        return refused
    storage.pause = time.sleep
    if ticket:
        ticket.discard(storage)
    guard()
    base = None
    try:
        base = make()
        return _taken(spec, facts, storage, signals, base)
    except Exception as error:
        signals.hush()
        return _accident(spec, facts, storage, error)
    finally:
        kill_strays()
        if base:
            remove(base)
            sweep()


def _taken(spec: Spec, facts: Facts, storage: Storage, signals: Signals, base: str) -> int:
    values, missing = resolve_secrets(spec['secrets'], os.environ)
    redactor, heartbeat, spool = Redactor(values), Heartbeat(spec), Spool(base)
    log, uploader = Log(spec['logLimitBytes'], redactor, spool.append), Uploader(spec, spool, heartbeat)
    for name in redactor.short:
        size = f'at least {SHORTEST_SECRET} characters are needed, blanks around it not counted'
        log.say(f'secret {name} is too short to be kept out of this log: {size}', now_ms())
    try:
        signals.listen()
        if missing:
            raise Failure('configuration', f'no value came for the secret {", ".join(missing)}: is it in the vault?')
        _run(spec, facts, storage, signals, base, values, log, uploader)
    except Stopped as stopped:
        facts.outcome = 'stopped'
        facts.fail('infrastructure', f'stopped before the job began ({stopped})', '', redactor.text)
    except Failure as failure:
        log.say(failure.message, now_ms())
        facts.fail(failure.error_class, failure.message, failure.detail, redactor.text)
    except Exception as error:  # our own mistake, or a full disk: the service must hear of it all the same
        import traceback

        facts.fail('infrastructure', f'{type(error).__name__}: {error}', traceback.format_exc(), redactor.text)
    signals.hush()
    facts.ended_at = facts.ended_at or now_ms()
    log.close(now_ms())
    heartbeat.deliver(overdue=facts.outcome in ('timed-out', 'stopped'))
    heartbeat.give_if_due(storage)
    text = None if uploader.started else inline_text(spool)
    if text is None and len(spool):
        uploader.start()
    _collect(spec, facts, storage, base, redactor, uploader)
    if text is None:
        uploader.finish()
        if uploader.offset == 0:
            text = inline_text(spool)  # storage would not have the log, and it still fits here
    else:
        storage.driver.show(spec['blobs']['log'], text.encode())
    result = result_of(spec, facts, log, text, storage.calls + uploader.storage.calls)
    if not deliver(spec, storage, result):
        return UNDELIVERED
    nudge(spec, signals)
    return DELIVERED


def _run(
    spec: Spec,
    facts: Facts,
    storage: Storage,
    signals: Signals,
    base: str,
    secrets: dict[str, str],
    log: Log,
    uploader: Uploader,
) -> None:
    work = os.path.join(base, 'work')

    def heartbeat() -> None:
        uploader.heartbeat.give_if_due(storage)

    place_bundle(spec, storage, work)
    heartbeat()
    facts.inputs = place_inputs(spec, storage, work)
    python = prepare(spec, base, lambda text: log.say(text, now_ms()), heartbeat)
    facts.python = python.version
    env = job_environment(spec, secrets, os.environ, os.path.join(base, 'metrics'), python.venv)
    argv = list(spec['command'])
    if argv[0] in ('python', 'python3'):
        argv[0] = python.program
    elif argv[0] == 'lamplighter-replay':
        from .replay import program

        argv = program(argv, python.program)
    killed_before = oom_kills()
    facts.job_started_at, ended = supervise(argv, work, env, spec, log, signals, uploader)
    facts.ended_at, facts.exit_code, facts.signal = ended.ended_at, ended.exit_code, ended.signal
    facts.cpu_ms, facts.peak_bytes = ended.cpu_ms, ended.peak_bytes
    _judge(spec, facts, ended, log, killed_before, work, env)


def _judge(
    spec: Spec, facts: Facts, ended: Ended, log: Log, killed_before: int | None, work: str, env: dict[str, str]
) -> None:
    said = log.last_words()
    clean = str  # redacted on the way in
    if ended.timed_out:
        facts.outcome = 'timed-out'
        facts.fail('timeout', f'did not end within {span(spec["timeoutMs"])}', said[-1000:], clean)
    elif ended.stopped_by:
        facts.outcome = 'stopped'
        facts.fail('infrastructure', f'stopped before it had finished ({ended.stopped_by})', said[-1000:], clean)
    elif ended.exit_code == 0:
        facts.outcome = 'succeeded'
        if log.evidence.traced:
            from .classify import Job, suspect

            if found := suspect(said, Job(spec['command'], work, frozenset(env))):
                facts.doubt(found)
    else:
        from .classify import Job, classify

        shot = ended.signal == 'SIGKILL' or ended.exit_code == 137
        # In a container the one that the kernel has killed was the job's; elsewhere it may have been a other job.
        starved = (shot or alone()) and killed_before is not None and (oom_kills() or 0) > killed_before
        if starved and shot:
            facts.exit_code = 137
        limit = memory_limit() if starved else None
        job = Job(spec['command'], work, frozenset(env))
        facts.judge(classify(ended.exit_code, ended.signal, said, job, starved, limit))


def _collect(spec: Spec, facts: Facts, storage: Storage, base: str, redactor: Redactor, uploader: Uploader) -> None:
    """Metrics and outputs, of failed attempts as well. Raises nothing for what the job has left."""
    if facts.job_started_at is None:
        return
    if os.path.lexists(metrics := os.path.join(base, 'metrics')):
        from .metrics import read_metrics

        try:
            facts.metrics, facts.metric_problems = read_metrics(metrics, redactor.text)
        except Exception as error:  # whatever the job has put there, it is no reason to fail
            facts.metric_problems = [redactor.text(f'the metrics could not be read: {error}')[:500]]
    if spec['outputs']:
        from .outputs import keep_outputs

        work = os.path.join(base, 'work')
        if spec['command'][0] == 'lamplighter-replay':
            from .replay import redact

            redact(work, redactor.text)
        facts.outputs = keep_outputs(spec, storage, work, redactor.text, uploader.start_if_due)


def _accident(spec: Spec, facts: Facts, storage: Storage, error: BaseException) -> int:
    """Our own mistake where nothing else could take it: the service hears of it, without the error's words, as
    there may be no redactor. Returns the shim's exit code."""
    import traceback

    frames = ''.join(traceback.format_tb(error.__traceback__))
    facts.outcome, facts.ended_at = 'failed', facts.ended_at or now_ms()
    facts.fail('infrastructure', f'the shim failed: {type(error).__name__}', frames, str)
    no_log = Log(1, Redactor({}), lambda _: None)
    return DELIVERED if deliver(spec, storage, result_of(spec, facts, no_log, '', storage.calls)) else UNDELIVERED

"""The shapes of what the shim is given and gives back, for type checkers alone: nothing imports this at run time. The
contract itself is shared/run/attempt.ts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypedDict

Sink = Callable[[bytes], object]
Say = Callable[[str], None]
Tick = Callable[[], object]
Metric = float | dict[str, float]
Environment = Mapping[str, str]


class Clean(Protocol):
    """Takes secrets out of a text; `cut`: the text went on."""

    def __call__(self, text: str, cut: bool = ..., /) -> str: ...


class Bundle(TypedDict):
    digest: str
    url: str
    locked: bool


class Input(TypedDict):
    path: str
    url: str
    sha256: str


class WantedOutput(TypedDict):
    path: str
    url: str


class Blobs(TypedDict):
    started: str
    heartbeat: str
    log: str
    result: str


class Spec(TypedDict):
    version: int
    job: str
    run: str
    attempt: int
    scheduledFor: str
    command: list[str]
    python: str | None
    env: dict[str, str]
    secrets: dict[str, str | None]
    bundle: Bundle
    inputs: list[Input]
    outputs: list[WantedOutput]
    timeoutMs: int
    graceMs: int
    logLimitBytes: int
    heartbeatMs: int
    deliverMs: int
    blobs: Blobs
    nudge: str | None
    cache: str | None


class Column(TypedDict, total=False):
    name: str
    type: str
    nulls: float
    min: float
    max: float
    mean: float
    sd: float
    distinct: int
    top: list[list[str | int]]


class Profile(TypedDict):
    format: str
    rows: int
    columns: list[Column]
    partial: bool


class KeptOutput(TypedDict, total=False):
    path: str
    bytes: int
    sha256: str
    profile: Profile
    problem: str


# With `class` among the keys these cannot be written as classes.
Error = TypedDict(
    'Error',
    {
        'class': str,
        'message': str,
        'detail': str,
        'kind': str,
        'parts': list[str],
        'fingerprint': str,
        'host': str,
    },
    total=False,
)


class Suspect(TypedDict):
    message: str
    detail: str
    fingerprint: str


class LogFacts(TypedDict):
    bytes: int
    lines: int
    capped: bool
    text: str | None


class Result(TypedDict, total=False):
    version: int
    job: str
    run: str
    attempt: int
    outcome: str
    exitCode: int | None
    signal: str | None
    error: Error | None
    suspect: Suspect
    startedAt: str
    jobStartedAt: str | None
    endedAt: str
    cpuMs: float
    peakMemoryBytes: int
    log: LogFacts
    metrics: dict[str, Metric]
    metricProblems: list[str]
    outputs: list[KeptOutput]
    inputs: dict[str, str]
    python: str
    storageCalls: int

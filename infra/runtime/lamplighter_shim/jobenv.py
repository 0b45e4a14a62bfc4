"""What the job finds in its environment. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Environment, Spec


PASSED_ON = frozenset(
    [
        'PATH',
        'HOME',
        'LANG',
        'TZ',
        'TMPDIR',
        'HTTP_PROXY',
        'HTTPS_PROXY',
        'ALL_PROXY',
        'NO_PROXY',
        'http_proxy',
        'https_proxy',
        'all_proxy',
        'no_proxy',
        'SSL_CERT_FILE',
        'SSL_CERT_DIR',
        'REQUESTS_CA_BUNDLE',
    ]
)


def job_environment(
    spec: Spec, secrets: dict[str, str], own: Environment, metrics_path: str, venv: str | None = None
) -> dict[str, str]:
    """The job's whole environment: nothing of the shim's `own` gets through unless it is named here.

    `secrets` are the resolved values; `venv` is the directory of the prepared environment, if there is one. The
    JOB_ variables come last, so that no manifest can fake them.
    """
    env = {name: value for name, value in own.items() if name in PASSED_ON or name.startswith('LC_')}
    env.setdefault('PATH', '/usr/local/bin:/usr/bin:/bin')
    if venv:
        env['VIRTUAL_ENV'] = venv
        env['PATH'] = f'{venv}/bin:{env["PATH"]}'
    env.update(PYTHONUNBUFFERED='1', PYTHONUTF8='1')
    env.update(spec['env'])
    env.update(secrets)
    env.update(
        JOB_NAME=spec['job'],
        JOB_RUN_ID=f'{spec["job"]}.{spec["run"]}',
        JOB_ATTEMPT=str(spec['attempt']),
        JOB_SCHEDULED_FOR=spec['scheduledFor'],
        JOB_METRICS=metrics_path,
    )
    return env


def resolve_secrets(declared: dict[str, str | None], own: Environment) -> tuple[dict[str, str], list[str]]:
    """Variable → value, taking from `own` what the platform has put there. Returns (values, missing names)."""
    values = {name: own.get(name) if value is None else value for name, value in declared.items()}
    missing = sorted(name for name, value in values.items() if value is None)
    return {name: value for name, value in values.items() if value is not None}, missing

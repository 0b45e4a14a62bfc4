"""Puts the bundle and the inputs into the work directory, each one verified."""

from __future__ import annotations

import hashlib
import os

from .failure import Failure
from .storage import Away, Refused
from .unzip import BadZip, entries
from .workdir import parts_of, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Spec
    from .storage import Storage


def place_bundle(spec: Spec, storage: Storage, root: str) -> None:
    """Unpacks the job's code below `root`. Raises Failure (infrastructure) when it cannot be had whole."""
    digest = spec['bundle']['digest']
    if len(digest) != 64 or digest.strip('0123456789abcdef'):
        raise fetch_failed('bundle', f'"{digest}" is not a SHA-256 in hex')
    kept = spec['cache'] and os.path.join(spec['cache'], 'bundles', f'{digest}.zip')
    archive = _from_cache(kept, digest) if kept else None
    if archive is None:
        archive = _get(storage, spec['bundle']['url'], digest, f'bundle {digest[:12]}')
        if kept:
            _keep(kept, archive)
    try:
        for path, data, executable in entries(archive):
            write(root, path, data, 0o700 if executable else 0o600)
    except (BadZip, ValueError) as bad:
        raise fetch_failed(f'bundle {digest[:12]} cannot be unpacked', bad) from bad
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as twice:
        raise fetch_failed(f'bundle {digest[:12]} holds a path twice', twice.filename) from twice


def place_inputs(spec: Spec, storage: Storage, root: str) -> dict[str, str]:
    """Puts each input in its place. Returns path → SHA-256. Raises Failure."""
    placed = {}
    for wanted in spec['inputs']:
        what = f'input {wanted["path"]}'
        try:
            parts_of(wanted['path'])
            data = _get(storage, wanted['url'], wanted['sha256'], what)
            write(root, wanted['path'], data, replace=True)
        except (ValueError, NotADirectoryError, IsADirectoryError) as bad:
            raise fetch_failed(what, bad) from bad
        placed[wanted['path']] = wanted['sha256']
    return placed


def _get(storage: Storage, url: str, digest: str, what: str) -> bytes:
    try:
        data = storage.read(url)
    except (Away, Refused, ValueError) as why:
        raise fetch_failed(f'{what} could not be fetched', why) from why
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise fetch_failed(what, f'what is stored has SHA-256 {found}, and {digest} was expected; deploy the job again')
    return data


def _from_cache(path: str, digest: str) -> bytes | None:
    try:
        with open(path, 'rb') as file:
            archive = file.read()
    except OSError:
        return None
    if hashlib.sha256(archive).hexdigest() == digest:
        return archive
    try:
        os.unlink(path)
    except OSError:
        pass
    return None


def _keep(path: str, archive: bytes) -> None:
    passing = f'{path}.{os.urandom(6).hex()}'
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(passing, 'xb') as file:
            file.write(archive)
        os.replace(passing, path)
    except OSError:
        try:
            os.unlink(passing)  # a full or read-only cache only costs time
        except OSError:
            pass


def fetch_failed(what: str, problem: object) -> Failure:
    """A file that the service promised and storage does not give: ours to repair, not the job's."""
    return Failure('infrastructure', f'{what}: {problem}')

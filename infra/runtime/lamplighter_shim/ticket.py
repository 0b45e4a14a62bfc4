"""A ticket: the signed address at which a shim reads its specification, and which is worth nothing afterwards.

What starts a container keeps the container's environment in its history, for all who may read that. So there it gets
a ticket instead of the specification, whose addresses let their holder write the attempt's blobs for hours.
"""

from __future__ import annotations

import sys

from .attempt import run
from .failure import Stopped
from .http1 import Broken
from .signals import Signals
from .spec import BadSpec, parse_spec
from .storage import Away, Storage, code_of
from .take import TAKEN, UNREACHABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import Sink, Spec


PATIENCE_MS = 10 * 60_000
MOST_BYTES = 4 << 20
DISCARD_S = 5.0


class Useless(Exception):
    """The ticket gives no specification. `code` is what the shim exits with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Ticket:
    def __init__(self, url: str, patience_ms: int = PATIENCE_MS) -> None:
        self.url, self.signals = url, Signals()
        self.storage = Storage({'deliverMs': patience_ms, 'relay': None}, pause=self.signals.sleep)

    def read(self) -> Spec:
        """The specification. Raises Useless, BadSpec, Stopped."""
        body = bytearray()
        try:
            reply = self.storage.send('GET', self.url, new_sink=lambda: collector(body))
        except Away as away:
            raise Useless(UNREACHABLE, f'the specification could not be read: {away}') from None
        except ValueError as error:
            raise BadSpec(f'the address of the specification is none: {error}') from None
        if reply.status == 200:
            return parse_spec(body.decode('utf-8', 'replace'))
        refusal = f'storage answers {reply.status} {code_of(reply)}'
        if reply.status == 404 and code_of(reply) == 'BlobNotFound':
            raise Useless(TAKEN, f'the attempt is taken already, or given up ({refusal} for its ticket)')
        raise Useless(UNREACHABLE, f'the specification could not be read: {refusal}; is its signature still good?')

    def discard(self, storage: Storage) -> None:
        """Makes the ticket worthless. Best effort: what it shows is of use only until its signatures end."""
        usual, storage.http.timeout = storage.http.timeout, DISCARD_S
        try:
            storage.once('DELETE', self.url)
        except (Broken, ValueError):
            pass
        finally:
            storage.http.timeout = usual


def collector(body: bytearray) -> Sink:
    """A sink for one try of a download."""
    body.clear()

    def collect(data: bytes) -> None:
        body.extend(data)
        if len(body) > MOST_BYTES:
            raise BadSpec(f'the specification of the attempt is larger than {MOST_BYTES >> 20} MiB')

    return collect


def run_by_ticket(url: str, patience_ms: int = PATIENCE_MS) -> int:
    """As attempt.run, of the specification at the address. Raises BadSpec."""
    ticket = Ticket(url, patience_ms)
    try:
        return run(ticket.read(), ticket)
    except Useless as useless:
        print(f'lamplighter: {useless}', file=sys.stderr)
        return useless.code
    except Stopped as stopped:
        print(f'lamplighter: stopped before the specification was read ({stopped})', file=sys.stderr)
        return UNREACHABLE

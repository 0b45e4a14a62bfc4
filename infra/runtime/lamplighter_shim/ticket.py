"""A ticket: the signed address at which a shim reads its specification, and which is worth nothing afterwards.

What starts a container keeps the container's environment in its history, for all who may read that. So there it gets
a ticket instead of the specification, whose addresses let their holder write the attempt's blobs for hours.
"""

from __future__ import annotations

import sys

from .addresses import Addresses
from .attempt import run
from .failure import Stopped
from .signals import Signals
from .spec import BadSpec, parse_spec
from .storage import Away, Refused, Storage
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
        self.addresses = Addresses(timeout=30.0)
        self.storage = Storage(self.addresses, patience_ms, self.signals.sleep)

    def read(self) -> Spec:
        """The specification. Raises Useless, BadSpec, Stopped."""
        body = bytearray()
        try:
            self.storage.read(self.url, lambda: collector(body))
        except Away as away:
            raise Useless(UNREACHABLE, f'the specification could not be read: {away}') from None
        except ValueError as error:
            raise BadSpec(f'the address of the specification is none: {error}') from None
        except Refused as refused:
            if refused.absent:
                why = f'the attempt is taken already, or given up ({refused} for its ticket)'
                raise Useless(TAKEN, why) from None
            why = f'the specification could not be read: {refused}; is its signature still good?'
            raise Useless(UNREACHABLE, why) from None
        return parse_spec(body.decode('utf-8', 'replace'))

    def discard(self, storage: Storage) -> None:
        """Makes the ticket worthless. Best effort: what it shows is of use only until its signatures end."""
        storage.calls += 1
        self.addresses.remove(self.url, DISCARD_S)


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

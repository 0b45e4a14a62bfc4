"""Azure Blob Storage over signed addresses (REST, learn.microsoft.com/rest/api/storageservices)."""

from __future__ import annotations

import random
import time

from .http1 import Broken, Http
from .retry import delay_ms, retryable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .http1 import FileBody, Reply
    from .shapes import Reach, Sink


API_VERSION = '2023-11-03'


class Away(Exception):
    """Storage could not be reached, or kept failing, for longer than we were asked to try."""


class Storage:
    """Requests that are tried again. An outage counts from its first failure over all requests made here."""

    def __init__(self, spec: Reach, timeout: float = 30.0, pause: Callable[[float], object] = time.sleep) -> None:
        self.deliver_ms, self.calls, self.pause = spec['deliverMs'], 0, pause
        self.http = Http(timeout, relay=spec['relay'])
        self._away_since: float | None = None

    def once(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: bytes | FileBody = b'',
        sink: Sink | None = None,
    ) -> Reply:
        """One try. Raises Broken."""
        self.calls += 1
        return self.http.exchange(method, url, {'x-ms-version': API_VERSION, **(headers or {})}, body, sink)

    def send(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: bytes | FileBody = b'',
        new_sink: Callable[[], Sink] | None = None,
    ) -> Reply:
        """Tries until storage gives an answer that stands. Returns the Reply.

        `new_sink` is called for a fresh sink at each try, as a broken download starts over. Raises Away.
        """
        tries = 0
        while True:
            tries += 1
            wish = None
            try:
                reply = self.once(method, url, headers, body, new_sink and new_sink())
                if not retryable(reply.status, code_of(reply)):
                    self._away_since = None
                    return reply
                wish, reason = reply.headers.get('retry-after'), f'storage answers {reply.status} {code_of(reply)}'
            except Broken as broken:
                reason = str(broken)
            now = time.monotonic()
            self._away_since = self._away_since or now
            left_ms = self.deliver_ms - (now - self._away_since) * 1000
            if left_ms <= 0:
                raise Away(f'storage was unavailable for {self.deliver_ms / 1000:g}s: {reason}')
            self.pause(min(delay_ms(tries, random.random(), wish), left_ms) / 1000)

    def create(self, url: str, body: bytes | FileBody, content_type: str = 'application/octet-stream') -> Reply:
        """Puts a block blob that must not exist yet. Returns the Reply; see `exists`.

        Once the attempt is taken no other host writes its blobs: one that exists is our own, of a try whose answer was
        lost or that was carried out twice.
        """
        headers = {'x-ms-blob-type': 'BlockBlob', 'If-None-Match': '*', 'Content-Type': content_type}
        return self.send('PUT', url, headers, body)


def exists(reply: Reply, url: str) -> bool:
    """Whether storage refused to create the blob at `url` because there is one.

    A signature that may create and not write makes that a question of permission before it is one of conditions:
    Azure documents 403 UnauthorizedBlobOverwrite, Azurite 3.37 answers 403 AuthorizationPermissionMismatch. When
    `sp` grants creating, existing is all that can be meant, save for a service that signs what it has no right to.
    """
    code = code_of(reply)
    if (reply.status, code) in (
        (409, 'BlobAlreadyExists'),
        (412, 'ConditionNotMet'),
        (403, 'UnauthorizedBlobOverwrite'),
    ):
        return True
    granted = url.partition('?')[2].partition('sp=')[2].partition('&')[0]
    return (reply.status, code) == (403, 'AuthorizationPermissionMismatch') and 'c' in granted


def code_of(reply: Reply) -> str:
    return reply.headers.get('x-ms-error-code', '')

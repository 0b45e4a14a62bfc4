"""Azure Blob Storage over signed addresses (REST, learn.microsoft.com/rest/api/storageservices)."""

from __future__ import annotations

from .http1 import Broken, Http
from .retry import retryable
from .storage import Passing, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .http1 import Reply
    from .shapes import Sink
    from .storage import FileBody


API_VERSION = '2023-11-03'


class Addresses:
    """A storage driver. Not for several threads at once. `timeout`: seconds that an exchange may be silent."""

    def __init__(self, timeout: float) -> None:
        self.http = Http(timeout)
        self._log_made = False

    def create(self, url: str, body: bytes | FileBody, content_type: str) -> bool:
        headers = {'x-ms-blob-type': 'BlockBlob', 'If-None-Match': '*', 'Content-Type': content_type}
        reply = self._ask('PUT', url, headers, body)
        if reply.status == 201:
            return True
        if exists(reply, url):
            return False
        raise refused(reply)

    def read(self, url: str, sink: Sink) -> None:
        reply = self._ask('GET', url, sink=sink)
        if reply.status != 200:
            raise refused(reply)

    def put(self, url: str, body: bytes) -> None:
        reply = self._ask('PUT', url, {'x-ms-blob-type': 'BlockBlob', 'Content-Type': 'application/json'}, body)
        if reply.status != 201:
            raise refused(reply)

    def append(self, url: str, offset: int, data: bytes) -> None:
        if not self._log_made:
            headers = {'x-ms-blob-type': 'AppendBlob', 'If-None-Match': '*', 'Content-Type': 'text/plain'}
            reply = self._ask('PUT', url, headers)
            if reply.status != 201 and not exists(reply, url):
                raise refused(reply)
            self._log_made = True
        headers = {'x-ms-blob-condition-appendpos': str(offset)}
        reply = self._ask('PUT', f'{url}&comp=appendblock', headers, data)
        # No other host appends here: what stands at our position already is this very block.
        if reply.status != 201 and code_of(reply) != 'AppendPositionConditionNotMet':
            raise refused(reply)

    def show(self, url: str, data: bytes) -> None:
        """Costs two requests and shows nothing new: those who read through the service get it from the result."""

    def remove(self, url: str, timeout: float) -> None:
        """Best effort; gives up after `timeout` seconds of silence."""
        usual, self.http.timeout = self.http.timeout, timeout
        try:
            self._ask('DELETE', url)
        except (Passing, ValueError):
            pass
        finally:
            self.http.timeout = usual

    def _ask(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: bytes | FileBody = b'',
        sink: Sink | None = None,
    ) -> Reply:
        """The Reply, unless it is one that passes. Raises Passing."""
        try:
            reply = self.http.exchange(method, url, {'x-ms-version': API_VERSION, **(headers or {})}, body, sink)
        except Broken as broken:
            raise Passing(str(broken)) from broken
        if retryable(reply.status, code_of(reply)):
            raise Passing(words(reply), reply.headers.get('retry-after'))
        return reply


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


def refused(reply: Reply) -> Refused:
    return Refused(words(reply), absent=reply.status == 404 and code_of(reply) == 'BlobNotFound')


def words(reply: Reply) -> str:
    return f'storage answers {reply.status} {code_of(reply)}'


def code_of(reply: Reply) -> str:
    return reply.headers.get('x-ms-error-code', '')

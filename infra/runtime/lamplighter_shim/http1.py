"""HTTP/1.1 over connections that are kept open."""

from __future__ import annotations

import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from .storage import CHUNK, FileBody

TYPE_CHECKING = False
if TYPE_CHECKING:
    Key = tuple[str, str, int | None]  # scheme, host, port
    from email.message import Message
    from urllib.parse import SplitResult

    from .shapes import Sink


class Broken(Exception):
    """An exchange failed below HTTP. `sent`: the request may have arrived, so what it asks may have been done."""

    def __init__(self, reason: str, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class Reply:
    """`headers.get(name)` minds no case."""

    def __init__(self, status: int, headers: Message, body: bytes = b'') -> None:
        self.status, self.headers, self.body = status, headers, body


class Http:
    """One connection per host. Not for several threads at once."""

    # Shorter than Node's 5 s and Azure's keep-alive, so that the other side is not closing while we send.
    IDLE_S = 4.0

    def __init__(self, timeout: float = 30.0, connect_timeout: float = 5.0) -> None:
        self.timeout, self.connect_timeout = timeout, connect_timeout
        self._kept: dict[Key, tuple[HTTPConnection, float]] = {}  # with time.monotonic() of its last use

    def exchange(
        self, method: str, url: str, headers: dict[str, str], body: bytes | FileBody = b'', sink: Sink | None = None
    ) -> Reply:
        """Sends one request once; returns its Reply, whose body went to `sink` (a callable) if the status is 200.

        Raises Broken when there was no whole answer, ValueError when the address is not http(s).
        """
        parts = urlsplit(url)
        if parts.scheme not in ('http', 'https') or not parts.hostname:
            raise ValueError('an address must begin with http:// or https://')
        key = (parts.scheme, parts.hostname, parts.port)
        connection = self._idle(key) or self._connect(*key)
        try:
            reply, keep = self._ask(connection, method, parts, headers, body, sink)
        except (OSError, EOFError, HTTPException, ValueError) as error:
            connection.close()
            raise Broken(str(error) or type(error).__name__, True) from error
        except BaseException:
            connection.close()
            raise
        if keep:
            self._kept[key] = connection, time.monotonic()
        else:
            connection.close()
        return reply

    def close(self) -> None:
        for connection, _ in self._kept.values():
            connection.close()
        self._kept.clear()

    def _ask(
        self,
        connection: HTTPConnection,
        method: str,
        parts: SplitResult,
        headers: dict[str, str],
        body: bytes | FileBody,
        sink: Sink | None,
    ) -> tuple[Reply, bool]:
        connection.sock.settimeout(self.timeout)
        target = f'{parts.path or "/"}?{parts.query}' if parts.query else parts.path or '/'
        whole = True
        try:
            if isinstance(body, FileBody):
                connection.request(method, target, body.chunks(), {**headers, 'Content-Length': str(body.size)})
            else:
                connection.request(method, target, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            whole = False  # a server that refuses early closes while we send; its answer may be there to read
        response = connection.getresponse()
        if not sink or response.status != 200:
            return Reply(response.status, response.headers, response.read()), whole and not response.will_close
        while data := response.read(CHUNK):
            sink(data)
        if response.length:  # read(size), unlike read(), says nothing about an end that comes too early
            raise ConnectionResetError('the connection was closed before the answer was whole')
        return Reply(response.status, response.headers), whole and not response.will_close

    def _idle(self, key: Key) -> HTTPConnection | None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return None
        connection, used = kept
        if time.monotonic() - used <= self.IDLE_S:
            connection.sock.setblocking(False)
            try:
                connection.sock.recv(1)  # it is closed, or there is an answer no one asked for
            except OSError as error:
                if isinstance(error, BlockingIOError) or type(error).__name__ == 'SSLWantReadError':
                    return connection
        connection.close()
        return None

    def _connect(self, scheme: str, host: str, port: int | None) -> HTTPConnection:
        kind = HTTPSConnection if scheme == 'https' else HTTPConnection
        connection = kind(host, port, timeout=self.connect_timeout)
        try:
            connection.connect()
            return connection
        except OSError as error:
            connection.close()
            raise Broken(f'{host}:{connection.port}: {error}', False) from error

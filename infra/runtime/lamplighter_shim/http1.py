"""HTTP/1.1 over sockets that are kept open. http.client costs 17 ms at each start of a job; this costs 3."""

import socket
import time


class Broken(Exception):
    """An exchange failed below HTTP. `sent`: the request may have arrived, so what it asks may have been done."""

    def __init__(self, reason, sent):
        super().__init__(reason)
        self.sent = sent


class Reply:
    def __init__(self, status, headers, body=b''):
        self.status, self.headers, self.body = status, headers, body


class FileBody:
    """`size` bytes of an open file as a request body; can be sent again."""

    def __init__(self, fd, size):
        self.fd, self.size = fd, size

    def chunks(self):
        import os

        at = 0
        while at < self.size:
            chunk = os.pread(self.fd, min(1 << 18, self.size - at), at)
            if not chunk:
                raise Broken('the file became shorter while it was sent', True)
            at += len(chunk)
            yield chunk


class Http:
    """One connection per host. Not for several threads at once."""

    def __init__(self, timeout=30.0, connect_timeout=5.0, relay=None):
        self.timeout, self.connect_timeout = timeout, connect_timeout
        self.relay = relay
        """Path of a Unix socket that takes the place of every http:// host, or None."""
        self._wires = {}

    def exchange(self, method, url, headers, body=b'', sink=None):
        """Sends one request once; returns its Reply, whose body went to `sink` (a callable) if the status is 200.

        Raises Broken when there was no whole answer, ValueError when the address is not http(s).
        """
        scheme, host, port, name, target = _split(url)
        key = (scheme, host, port)
        wire = self._wires.pop(key, None)
        if wire and not wire.usable():
            wire.sock.close()
            wire = None
        if wire is None:
            wire = _Wire(self._connect(scheme, host, port))
        wire.sock.settimeout(self.timeout)
        size = body.size if isinstance(body, FileBody) else len(body)
        lines = [f'{method} {target} HTTP/1.1', f'Host: {name}', f'Content-Length: {size}']
        lines += [f'{key}: {value}' for key, value in headers.items()]
        head = ('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1')
        try:
            reply, keep = wire.ask(head, body, sink)
        except (OSError, ValueError) as error:
            wire.sock.close()
            raise Broken(str(error) or type(error).__name__, True) from error
        except BaseException:
            wire.sock.close()
            raise
        if keep:
            self._wires[key] = wire
        else:
            wire.sock.close()
        return reply

    def close(self):
        for wire in self._wires.values():
            wire.sock.close()
        self._wires.clear()

    def _connect(self, scheme, host, port):
        if self.relay and scheme == 'http':
            return self._connect_relay()
        try:
            sock = socket.create_connection((host, port), self.connect_timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if scheme == 'https':
                import ssl

                sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
            return sock
        except OSError as error:
            raise Broken(f'{host}:{port}: {error}', False) from error

    def _connect_relay(self):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(self.connect_timeout)
            sock.connect(self.relay)
            return sock
        except OSError as error:
            sock.close()
            raise Broken(f'{self.relay}: {error}', False) from error


class _Wire:
    # Shorter than Node's 5 s and Azure's keep-alive, so that the other side is not closing while we send.
    IDLE_S = 4.0

    def __init__(self, sock):
        self.sock, self.left, self.used = sock, bytearray(), time.monotonic()

    def usable(self):
        if self.left or time.monotonic() - self.used > self.IDLE_S:
            return False
        self.sock.setblocking(False)
        try:
            self.sock.recv(1)
            return False  # closed, or an answer nobody asked for
        except OSError as error:
            return isinstance(error, BlockingIOError) or type(error).__name__ == 'SSLWantReadError'

    def ask(self, head, body, sink):
        whole = True
        try:
            if isinstance(body, FileBody):
                self.sock.sendall(head)
                for chunk in body.chunks():
                    self.sock.sendall(chunk)
            else:
                self.sock.sendall(head + body)
        except (BrokenPipeError, ConnectionResetError):
            whole = False  # a server that refuses early closes while we send; its answer may be there to read
        status, headers = 100, {}
        while status == 100:
            status, headers = self._head()
        parts = []
        take = sink if sink and status == 200 else parts.append
        keep = whole and 'close' not in headers.get('connection', '').lower()
        if headers.get('transfer-encoding', '').lower() == 'chunked':
            while size := int(self._line().split(b';')[0], 16):
                self._exactly(size, take)
                self._line()
            while self._line():
                pass
        elif 'content-length' in headers and status not in (204, 304):
            self._exactly(int(headers['content-length']), take)
        elif status not in (204, 304):
            keep = False
            while data := bytes(self.left) or self.sock.recv(1 << 18):
                self.left.clear()
                take(data)
        self.used = time.monotonic()
        return Reply(status, headers, b''.join(parts)), keep

    def _head(self):
        version, status = self._line().split(None, 2)[:2]
        if not version.startswith(b'HTTP/1.'):
            raise ValueError('the answer is not HTTP/1')
        headers = {}
        while line := self._line():
            name, _, value = line.decode('latin-1').partition(':')
            headers[name.lower()] = value.strip()
        return int(status), headers

    def _line(self):
        while (end := self.left.find(b'\n')) < 0:
            if len(self.left) > 1 << 16:
                raise ValueError('a header line of the answer is too long')
            self._fill()
        line = bytes(self.left[:end]).rstrip(b'\r')
        del self.left[: end + 1]
        return line

    def _exactly(self, size, take):
        while size:
            if not self.left:
                self._fill()
            part = bytes(self.left[:size])
            del self.left[:size]
            size -= len(part)
            take(part)

    def _fill(self):
        data = self.sock.recv(1 << 18)
        if not data:
            raise ConnectionResetError('the connection was closed before the answer was whole')
        self.left += data


def _split(url):
    scheme, _, rest = url.partition('://')
    if scheme not in ('http', 'https'):
        raise ValueError('an address must begin with http:// or https://')
    name, slash, path = rest.partition('/')
    host, colon, port = name.rpartition(':')
    if not colon or ']' in port:
        host, port = name, 443 if scheme == 'https' else 80
    return scheme, host.strip('[]'), int(port), name, (slash + path).partition('#')[0] or '/'

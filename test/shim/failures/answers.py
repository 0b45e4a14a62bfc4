"""A web server that answers in the ways that make jobs fail."""

import datetime
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answers(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self) -> None:
        wanted = self.path.split('?')[0].split('/')[1]
        if wanted == 'slow':
            time.sleep(1.5)
        if wanted in ('slow', 'reset'):
            self.close_connection = True
            return
        kind, code, status = 'html', '', wanted
        if wanted.startswith(('s3-', 'az-')):
            kind, code, status = wanted.split('-')
        body = f'<html>{code}</html>'.encode()
        if kind in ('s3', 'az'):
            body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>no</Message></Error>'.encode()
        self.send_response(int(status) if status.isdigit() else 200)
        self.send_header('Content-Type', 'application/xml' if kind != 'html' else 'text/html')
        self.send_header('Content-Length', str(len(body) + (100 if wanted == 'cut' else 0)))
        if kind == 'az':
            self.send_header('x-ms-error-code', code)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)
        if wanted == 'cut':
            self.close_connection = True

    do_POST = do_PUT = do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


def serve(secure: ssl.SSLContext | None = None) -> int:
    """Starts a server on a port of its own and returns the port."""
    server = ThreadingHTTPServer(('127.0.0.1', 0), Answers)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if secure:
        server.socket = secure.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


def untrusted(folder: str) -> ssl.SSLContext | None:
    """A context with a certificate of its own making; None where the package for it is missing."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        return None
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'localhost')])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem += key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with open(f'{folder}/untrusted.pem', 'wb') as file:
        file.write(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f'{folder}/untrusted.pem')
    return context

"""Calls POST /api/tick of the app as this container's managed identity: the second clock, should the app's timer die.

Exit codes: 0 ticked; 64 a variable is missing or wrong; 69 the identity endpoint or the app fails; 77 refused. Only
what 69 stands for is tried again, once. A token is never printed, and never sent anywhere but to the app.
"""

from __future__ import annotations

import json
import os
import sys
import time
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PAUSE_S = 1
TOKEN_TIMEOUT_S, TICK_TIMEOUT_S = 10, 40  # twice both, and the pause, stay below the 120 s that the job is given


class Stop(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class StayHere(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None  # urllib would take the token along to wherever the answer points


# The identity endpoint is in the container itself, so no proxy.
opener = build_opener(ProxyHandler({}), StayHere)


def main(environ: Mapping[str, str]) -> None:
    app = setting(environ, 'LAMPLIGHTER_APP_URL').rstrip('/')
    parts = urlsplit(app)
    if not parts.hostname or (parts.scheme != 'https' and (parts.scheme, parts.hostname) != ('http', '127.0.0.1')):
        raise Stop(64, f'LAMPLIGHTER_APP_URL is {app!r}: expected https://…')
    # learn.microsoft.com/azure/container-apps/managed-identity, "REST endpoint reference"
    query = {
        'api-version': '2019-08-01',
        'resource': setting(environ, 'LAMPLIGHTER_AUDIENCE'),
        'client_id': setting(environ, 'AZURE_CLIENT_ID'),
    }
    endpoint = f'{setting(environ, "IDENTITY_ENDPOINT")}?{urlencode(query)}'
    header = {'X-IDENTITY-HEADER': setting(environ, 'IDENTITY_HEADER')}
    answer = ask('the identity endpoint', Request(endpoint, headers=header), TOKEN_TIMEOUT_S)
    try:
        token = json.loads(answer)['access_token']
    except (ValueError, KeyError, TypeError):
        raise Stop(69, 'the identity endpoint gave no token') from None
    ask(app, Request(f'{app}/api/tick', b'', {'Authorization': f'Bearer {token}'}), TICK_TIMEOUT_S)
    print(f'second scheduler: {app} has ticked')


def setting(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name)
    if not value:
        raise Stop(64, f'{name} is not set')
    return value


def ask(whom: str, request: Request, timeout: float) -> bytes:
    try:
        return ask_once(whom, request, timeout)
    except Stop as stop:
        if stop.code != 69:
            raise
        print(f'second scheduler: {stop}; once more', file=sys.stderr)
    time.sleep(PAUSE_S)
    return ask_once(whom, request, timeout)


def ask_once(whom: str, request: Request, timeout: float) -> bytes:
    try:
        with opener.open(request, timeout=timeout) as response:
            return bytes(response.read())
    except HTTPError as error:
        text = said(error)
        passing = error.code in (408, 429) or error.code >= 500
        raise Stop(69 if passing else 77, f'{whom} answers {error.code} {text}'.rstrip()) from None
    except ValueError as error:
        raise Stop(64, f'{whom}: {error}') from None
    except Exception as error:  # an endpoint that hangs, is not there, or talks no HTTP
        raise Stop(69, f'{whom} cannot be reached: {error}') from None


def said(error: HTTPError) -> str:
    try:
        with error:
            return error.read(300).decode('utf-8', 'replace')
    except Exception:  # cut off, or too slow: the status alone says enough
        return ''


try:
    main(os.environ)
except Stop as stop:
    print(f'second scheduler: {stop}', file=sys.stderr)
    sys.exit(stop.code)

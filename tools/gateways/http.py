"""The one way out: time limits, no redirects, a capped reply, masked keys.

Whether a failed call may be repeated depends on one fact: had anything of the request
been written to the provider? Exceptions of requests do not tell it for sure (an end of
file under TLS comes while connecting and while reading), so the connection itself
keeps book.
"""

import ipaddress
import json
import time
from typing import NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

MAX_REPLY = 64 * 1024  # bytes
MAX_SECONDS = 60  # of a reply that drips


class BadSettings(Exception):
    """The settings cannot work: (reason, name of the setting)."""


class NotTaken(Exception):
    """Nothing was written: the provider cannot have taken it."""

    kind = "server"


class Unclear(Exception):
    """The request was written, and what came back does not tell what became of it."""


class PrivateAddress(NotTaken):
    """The address lies in the own network."""

    kind = "setup"


class Reply(NamedTuple):
    status: int
    body: bytes

    def json(self):
        """The body as JSON, None when it is none."""
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            return None

    def object(self) -> dict:
        """The body as a JSON object, empty when it is none."""
        value = self.json()
        return value if isinstance(value, dict) else {}


class _Book:
    """What the connections of one session have done during one call."""

    written = False


def _watching(connection_class, pool_class, book, check_peer):
    """A pool whose connections write down when they write."""

    class Connection(connection_class):
        def send(self, data):
            if self.sock is None:
                self.connect()
            check_peer(self.sock)
            book.written = True
            return super().send(data)

    class Pool(pool_class):
        ConnectionCls = Connection

    return Pool


class _Adapter(HTTPAdapter):
    def __init__(self, book, check_peer):
        self.book = book
        self.check_peer = check_peer
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args, **kwargs):
        result = super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _watching(
                HTTPConnection, HTTPConnectionPool, self.book, self.check_peer
            ),
            "https": _watching(
                HTTPSConnection, HTTPSConnectionPool, self.book, self.check_peer
            ),
        }
        return result


class Http:
    """A session with one provider.

    :param list secrets: masked in whatever leaves this class
    :param bool allow_private: addresses in the own network, and http
    :param bool any_address: the address is the provider's own, not typed by anybody,
        and may be reached through a proxy
    :param tuple timeout: seconds to connect, and to wait for bytes
    """

    def __init__(self, secrets=(), allow_private=False, any_address=False, timeout=()):
        self.secrets = sorted(
            {part for secret in secrets for part in secret.split() if len(part) > 3},
            key=len,
            reverse=True,
        )
        self.allow_private = allow_private
        self.any_address = any_address
        self.timeout = timeout or (5, 25)
        self.book = _Book()
        self.session = requests.Session()
        # What ~/.netrc holds is nobody's business here.
        self.session.auth = lambda request: request
        for prefix in ("https://", "http://"):
            self.session.mount(prefix, _Adapter(self.book, self._check_peer))

    def close(self):
        self.session.close()

    def mask(self, text) -> str:
        """The text without keys."""
        text = str(text)
        for secret in self.secrets:
            text = text.replace(secret, "•••")
        return text

    def _check_peer(self, sock):
        """Refuse the own network after DNS has spoken, before a byte is written."""
        if self.allow_private or self.any_address:
            return
        address = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if not address.is_global or address.is_multicast:
            raise PrivateAddress("the address lies in a private network")

    def may_call(self, url: str) -> bool:
        """Whether an address is https, or http where private addresses are allowed."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        return bool(parts.hostname) and (
            secure or (parts.scheme == "http" and self.allow_private)
        )

    def call(self, method: str, url: str, **kwargs) -> Reply:
        """Send one request.

        :param kwargs: for requests: ``data``, ``json``, ``params``, ``headers``
        :raise NotTaken: nothing was written
        :raise Unclear: written, and no reply that could be read
        """
        self.book.written = False
        try:
            return self._call(method, url, **kwargs)
        except NotTaken:
            raise
        except Exception as error:  # noqa: BLE001 - whatever libraries raise
            # Neither the exception nor its text may travel on: keys are in its URL.
            words = type(error).__name__
        failure = Unclear if self.book.written else NotTaken
        raise failure(words)

    def _call(self, method, url, **kwargs):
        until = time.monotonic() + MAX_SECONDS
        with self.session.request(
            method,
            url,
            timeout=self.timeout,
            allow_redirects=False,
            stream=True,
            **kwargs,
        ) as response:
            body = b""
            for piece in response.iter_content(8192):
                body += piece
                if len(body) > MAX_REPLY or time.monotonic() > until:
                    raise ValueError("too long")
            return Reply(response.status_code, body)

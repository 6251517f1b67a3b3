"""What every request passes first: byte cap, Host, Origin and token checks, security headers."""

from __future__ import annotations

import base64
import hmac
import ipaddress
import re
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.requests import ClientDisconnect

from areaeffect.web import limits
from areaeffect.web.limits import LOOPBACK, Refusal, ServerSettings
from areaeffect.web.render import answer_to

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_ASK_FOR_TOKEN: Final = {"www-authenticate": 'Basic realm="areaeffect", charset="UTF-8"'}
#: Answered without a token: whoever watches over the server has none.
_OPEN_PATHS: Final = ("/health", "/robots.txt")
_MOST_ADDRESSES = 10_000


class Safety:
    """The middleware; wraps the whole application."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self.app = app
        self.settings = settings
        self.wrong = RateLimit(limits.WRONG_TOKENS, limits.WRONG_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, hand it on with a counted body, and set the headers of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, read = False, 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limits.POST_BYTES:
                raise _too_large()
            return message

        async def send_safely(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer.setdefault(name, value)
            await send(message)

        try:
            headers = Headers(scope=scope)
            check_request(scope, headers, self.settings)
            self._check_token(scope, headers)
            await self.app(scope, counted, send_safely)
        except ClientDisconnect:  # nobody is there to be answered
            return
        except Exception as fault:  # whatever it is, it is answered by a page and logged
            if began:  # nothing can be said any more
                raise
            await answer_to(fault, scope["path"])(scope, receive, send_safely)

    def _check_token(self, scope: Scope, headers: Headers) -> None:
        """Refuse a request without the token, and one address that keeps guessing.

        The token comes with every request, so there is no session to steal or to end.
        """
        token, fix = self.settings.token, "Give it as the password, with any name."
        if token is None or scope["path"] in _OPEN_PATHS:
            return
        given, address = _token_given(headers), (scope.get("client") or ("",))[0]
        if given is None:
            raise Refusal(401, "This server asks for its token.", fix, headers=_ASK_FOR_TOKEN)
        if self.wrong.is_spent(address):
            what, wait = "Too many wrong tokens came from your address.", limits.WRONG_SECONDS
            raise Refusal(429, what, f"Wait {wait // 60} minutes.", headers={"retry-after": str(wait)})
        if not hmac.compare_digest(given, token.encode()):
            self.wrong.count(address)
            raise Refusal(401, "This is not the server's token.", fix, headers=_ASK_FOR_TOKEN)


def _token_given(headers: Headers) -> bytes | None:
    """Return the token that `Authorization` carries, as password or bearer; None without one."""
    scheme, _, word = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return word.strip().encode("latin-1", "replace")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(word.strip(), validate=True).partition(b":")[2]
    except ValueError:
        return b""


def check_request(scope: Scope, headers: Headers, settings: ServerSettings) -> None:
    """Refuse a request for a host that is not ours, from another site, or that is too long."""
    if not _is_ours(headers.get("host", ""), settings):
        fix = "Use the address that `areaeffect serve` printed; behind a proxy, start it with --base-url."
        raise Refusal(421, "This server is not known by that name.", fix)
    if len(scope["query_string"]) > limits.QUERY_BYTES:
        fix = "Save a long selection by pasting its codes on the Find page."
        raise Refusal(414, f"The address is longer than {limits.QUERY_BYTES} bytes.", fix)
    if scope["method"] not in ("GET", "HEAD", "OPTIONS") and not _same_origin(scope, headers, settings):
        fix = "Go back to the page of this server and try again."
        raise Refusal(403, "This request came from a page of another site and was refused.", fix)
    length = headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,18}", length):
        raise Refusal(400, "The length of the request is not a number.", "Send it again.")
    if int(length) > limits.POST_BYTES:
        raise _too_large()


def _is_ours(host: str, settings: ServerSettings) -> bool:
    """Whether a Host header names this server: a page of elsewhere cannot use our address."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if not name or any(sign in host for sign in "/\\@ \t?#"):
        return False
    if name in (*LOOPBACK, settings.host, urlsplit(settings.base_url or "").hostname):
        return True
    try:  # a name can be made to point here by anyone, a number cannot
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return not settings.is_loopback


def _same_origin(scope: Scope, headers: Headers, settings: ServerSettings) -> bool:
    """Whether a request that changes something came from our own pages or from no browser."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in ("same-origin", "none")
    ours = [str(URL(scope=scope).replace(path="", query="", fragment="")).rstrip("/"), settings.base_url]
    return origin in ours


def _too_large() -> Refusal:
    what = f"What was sent is larger than {limits.POST_BYTES // limits.MIB} MiB."
    return Refusal(413, what, "Send less at once.", headers={"connection": "close"})


class RateLimit:
    """Counts events of an address: at most `most` within `seconds`."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def is_spent(self, address: str) -> bool:
        """Whether an address had all its events."""
        times = self._times.get(_subscriber(address), deque())
        return len(times) >= self.most and time.monotonic() - times[0] <= self.seconds

    def count(self, address: str) -> None:
        """Count one event."""
        key = _subscriber(address)
        self._times.setdefault(key, deque(maxlen=self.most)).append(time.monotonic())
        self._times.move_to_end(key)
        while len(self._times) > _MOST_ADDRESSES:
            self._times.popitem(last=False)


def _subscriber(address: str) -> str:
    """Return whom an address represents: an IPv6 subscriber has many addresses, 64 bits of them."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((number, 64), strict=False)) if number.version == 6 else address  # noqa: PLR2004

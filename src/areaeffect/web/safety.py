"""What every request passes first: byte cap, Host, Origin and token checks, security headers.

One ASGI middleware, so that a refused request costs next to nothing and no route can forget it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import logging
import re
import secrets
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from areaeffect.errors import AreaEffectError, Problem
from areaeffect.web import limits, render
from areaeffect.web.limits import LOOPBACK, Refusal, ServerSettings

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
PERMISSIONS_POLICY: Final = ", ".join(
    f"{name}=()" for name in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")
)
HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "permissions-policy": PERMISSIONS_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
ASK_FOR_TOKEN: Final = {"www-authenticate": 'Basic realm="areaeffect", charset="UTF-8"'}
#: Answered without a token: whoever watches over the server has none.
OPEN_PATHS: Final = ("/health", "/robots.txt")

log = logging.getLogger("areaeffect.web")


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
        headers = Headers(scope=scope)
        began = False

        async def send_safely(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer.setdefault(name, value)
            await send(message)

        try:
            check_request(scope, headers, self.settings)
            self._check_token(scope, headers)
            await self.app(scope, counted_body(receive), send_safely)
        except ClientDisconnect:  # nobody is there to be answered
            return
        except Exception as fault:  # whatever it is, it is answered by a page and logged
            if began:  # nothing can be said any more
                raise
            answer = answer_to(fault, headers, scope["path"])
            await answer(scope, receive, send_safely)

    def _check_token(self, scope: Scope, headers: Headers) -> None:
        """Refuse a request without the token, and one address that keeps guessing.

        The token comes with every request, so there is no session to steal or to end.
        """
        token = self.settings.token
        if token is None or scope["path"] in OPEN_PATHS:
            return
        given, address = token_given(headers), (scope.get("client") or ("",))[0]
        if given is None:
            what, fix = "This server asks for its token.", "Give it as the password, with any name."
            raise Refusal(401, what, fix, headers=ASK_FOR_TOKEN)
        if self.wrong.is_spent(address):
            what = "Too many wrong tokens came from your address."
            fix = f"Wait {limits.WRONG_SECONDS // 60} minutes."
            raise Refusal(429, what, fix, headers={"retry-after": str(limits.WRONG_SECONDS)})
        if not hmac.compare_digest(_digest(given), _digest(token.encode())):
            self.wrong.count(address)
            what, fix = "This is not the server's token.", "Give it as the password, with any name."
            raise Refusal(401, what, fix, headers=ASK_FOR_TOKEN)


def token_given(headers: Headers) -> bytes | None:
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


def _digest(secret: bytes) -> bytes:
    """Return a hash, so that the time of comparing tells nothing of length or content."""
    return hashlib.sha256(secret).digest()


def check_request(scope: Scope, headers: Headers, settings: ServerSettings) -> None:
    """Refuse a request for a host that is not ours, from another site, or with too long a query.

    Raises
    ------
    Refusal
        403, 414, 421 or 413.
    """
    host = headers.get("host", "")
    if not host_allowed(host, settings):
        raise Refusal(
            421,
            "This server is not known by that name.",
            "Use the address that `areaeffect serve` printed; behind a proxy, start it with --base-url.",
        )
    if len(scope["query_string"]) > limits.QUERY_BYTES:
        raise Refusal(
            414,
            f"The address is longer than {limits.QUERY_BYTES} bytes.",
            "Save a long selection by pasting its codes on the Find page.",
        )
    if scope["method"] not in SAFE_METHODS and not same_origin(scope, headers, settings):
        raise Refusal(
            403,
            "This request came from a page of another site and was refused.",
            "Go back to the page of this server and try again.",
        )
    length = headers.get("content-length")
    if length is not None and not re.fullmatch(r"[0-9]{1,18}", length):
        raise Refusal(400, "The length of the request is not a number.", "Send it again.")
    if length is not None and int(length) > limits.POST_BYTES:
        raise too_large()


def host_allowed(host: str, settings: ServerSettings) -> bool:
    """Whether a Host header names this server: a page of elsewhere cannot use our address."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if not name or any(sign in host for sign in "/\\@ \t?#"):
        return False
    public = urlsplit(settings.base_url).hostname if settings.base_url else None
    if name in (*LOOPBACK, settings.host, public):
        return True
    if settings.is_loopback:
        return False
    try:  # a name can be made to point here by anyone, a number cannot
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def same_origin(scope: Scope, headers: Headers, settings: ServerSettings) -> bool:
    """Whether a request that changes something came from our own pages or from no browser."""
    origin = headers.get("origin")
    if origin is not None:
        ours = {str(URL(scope=scope).replace(path="", query="", fragment="")).rstrip("/")}
        if settings.base_url:
            parts = urlsplit(settings.base_url)
            ours.add(f"{parts.scheme}://{parts.netloc}")
        return origin in ours
    return headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def too_large() -> Refusal:
    """Return the refusal of a body over its cap."""
    return Refusal(
        413,
        f"What was sent is larger than {limits.POST_BYTES // limits.MIB} MiB.",
        "Send less at once.",
        headers={"connection": "close"},
    )


def counted_body(receive: Receive) -> Receive:
    """Return a `receive` that counts the bytes as they come and stops at the cap."""
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limits.POST_BYTES:
            raise too_large()
        return message

    return counted


#: What a status of the framework means, in plain words.
_PLAIN: Final = {
    404: Problem("There is no page at this address.", fix="Check it, or go on from the start page."),
    405: Problem("This address cannot be used in that way.", fix="Use the page's own form."),
}


def answer_to(fault: Exception, headers: Headers, path: str) -> Response:
    """Return the page or JSON that says what happened and what to do."""
    extra: dict[str, str] = {}
    if isinstance(fault, Refusal):
        status, problem, extra = fault.status, fault.problems[0], fault.headers
    elif isinstance(fault, AreaEffectError):
        status, problem = 422, fault.problems[0]
    elif isinstance(fault, HTTPException):
        status, extra = fault.status_code, dict(fault.headers or {})
        problem = _PLAIN.get(status, Problem(str(fault.detail)))
    else:
        log.exception("failed: %s", path, exc_info=fault)
        status = 500
        problem = Problem(
            "The program failed.",
            fix="Nothing was lost. Try again; the server's log holds what a developer needs.",
        )
    answer = render.error(headers, path, status, problem)
    answer.headers.update(extra)
    return answer


_MOST_ADDRESSES = 10_000
_IPV6_SUBSCRIBER = 64  # bits of an IPv6 address that one household or server has


class RateLimit:
    """Counts events of an address: at most `most` within `seconds`."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self._salt = secrets.token_bytes(16)
        self._times: OrderedDict[bytes, deque[float]] = OrderedDict()

    def is_spent(self, address: str) -> bool:
        """Whether an address had all its events."""
        times = self._times.get(self._key(address), deque())
        now = time.monotonic()
        while times and now - times[0] > self.seconds:
            times.popleft()
        return len(times) >= self.most

    def count(self, address: str) -> None:
        """Count one event."""
        key = self._key(address)
        self._times.setdefault(key, deque(maxlen=self.most)).append(time.monotonic())
        self._times.move_to_end(key)
        while len(self._times) > _MOST_ADDRESSES:
            self._times.popitem(last=False)

    def _key(self, address: str) -> bytes:
        return hashlib.blake2b(_group(address).encode(), key=self._salt, digest_size=16).digest()


def _group(address: str) -> str:
    """Return whom an address represents: an IPv6 subscriber has many addresses."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(number, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((number, _IPV6_SUBSCRIBER), strict=False))
    return str(number)

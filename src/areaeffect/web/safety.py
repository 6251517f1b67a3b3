"""What stands before every page: byte cap, Host, Origin and token checks, security headers.

One ASGI middleware, so that a refused request costs next to nothing and no route can forget it.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from areaeffect.errors import AreaEffectError, Problem
from areaeffect.web import limits, render
from areaeffect.web.refusals import Refusal
from areaeffect.web.settings import LOOPBACK

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from areaeffect.web.settings import Settings

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self'"
)
HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
COOKIE: Final = "areaeffect_token"
#: Answered without a token: whoever watches over the server has none.
OPEN_PATHS: Final = ("/health", "/robots.txt")

log = logging.getLogger("areaeffect.web")


class Safety:
    """The middleware; wraps the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

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
            given = self._token_given(scope)
            if given is not None:
                await given(scope, receive, send_safely)
                return
            counted = counted_body(receive, scope["path"])
            await self.app(scope, counted, send_safely)
        except Exception as fault:  # whatever it is, it is answered by a page and logged
            if began:  # nothing can be said any more
                raise
            answer = answer_to(fault, headers, scope["path"])
            await answer(scope, receive, send_safely)

    def _token_given(self, scope: Scope) -> Response | None:
        """Check the token; answer with a cookie where it came in the address."""
        if self.settings.token is None or scope["path"] in OPEN_PATHS:
            return None
        request = Request(scope)
        named = request.query_params.get("token")
        if named is not None and is_token(named, self.settings):
            clean = request.url.remove_query_params("token")
            to = clean.path + (f"?{clean.query}" if clean.query else "")
            answer = RedirectResponse("/" + to.lstrip("/"), 303)
            give_cookie(answer, self.settings, clean.scheme)
            return answer
        if self.settings.read_only or holds_token(request, self.settings):
            return None
        raise Refusal(
            401,
            "This server asks for its token.",
            "Open the address that `areaeffect serve` printed, which holds the token.",
            headers={"www-authenticate": "Bearer"},
        )


def is_token(word: str, settings: Settings) -> bool:
    """Whether a word is the server's token; false where it has none."""
    token = settings.token
    return token is not None and hmac.compare_digest(word.encode(), token.encode())


def holds_token(request: Request, settings: Settings) -> bool:
    """Whether a request carries the token, in its cookie or its `Authorization`."""
    carried = request.cookies.get(COOKIE) or request.headers.get("authorization", "").removeprefix(
        "Bearer "
    )
    return is_token(carried, settings)


def give_cookie(answer: Response, settings: Settings, scheme: str) -> None:
    """Let a browser carry the token from now on: to this site alone, and out of scripts' reach."""
    secure = scheme == "https" or (settings.base_url or "").startswith("https:")
    answer.set_cookie(COOKIE, settings.token or "", httponly=True, samesite="strict", secure=secure)


def check_request(scope: Scope, headers: Headers, settings: Settings) -> None:
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
            "This server does not answer to that name.",
            "Use the address that `areaeffect serve` printed; behind a proxy, start it with "
            "--base-url.",
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
            "This came from a page of another site, so it was not carried out.",
            "Go back to the page of this server and try again.",
        )
    length = headers.get("content-length")
    if length is not None and (not length.isdigit() or int(length) > cap(scope["path"])):
        raise too_large(scope["path"])


def host_allowed(host: str, settings: Settings) -> bool:
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


def same_origin(scope: Scope, headers: Headers, settings: Settings) -> bool:
    """Whether a request that changes something came from our own pages or from no browser."""
    origin = headers.get("origin")
    if origin is not None:
        ours = {str(URL(scope=scope).replace(path="", query="", fragment="")).rstrip("/")}
        if settings.base_url:
            parts = urlsplit(settings.base_url)
            ours.add(f"{parts.scheme}://{parts.netloc}")
        return origin in ours
    return headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def cap(path: str) -> int:
    """Return the most bytes a request to this address may carry."""
    return limits.UPLOAD_BYTES if path in limits.UPLOAD_PATHS else limits.POST_BYTES


def too_large(path: str) -> Refusal:
    """Return the refusal of a body over its cap."""
    return Refusal(
        413,
        f"What was sent is larger than {cap(path) // limits.MIB} MiB.",
        "Send less at once.",
        headers={"connection": "close"},
    )


def counted_body(receive: Receive, path: str) -> Receive:
    """Return a `receive` that counts the bytes as they come and stops at the cap."""
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > cap(path):
            raise too_large(path)
        return message

    return counted


def answer_to(fault: Exception, headers: Headers, path: str) -> Response:
    """Return the page or JSON that says what happened and what to do."""
    extra: dict[str, str] = {}
    if isinstance(fault, Refusal):
        status, problem, extra = fault.status, fault.problems[0], fault.headers
    elif isinstance(fault, AreaEffectError):
        status, problem = 422, fault.problems[0]
    elif isinstance(fault, HTTPException):
        status, problem, extra = fault.status_code, of_status(fault), dict(fault.headers or {})
    else:
        log.exception("failed: %s", path, exc_info=fault)
        status = 500
        problem = Problem(
            "The program met an error of its own.",
            fix="Nothing was lost. Try again; the server's log holds what a developer needs.",
        )
    answer = render.error(headers, path, status, problem)
    answer.headers.update(extra)
    return answer


def of_status(fault: HTTPException) -> Problem:
    """Say in plain words what a status of the framework means."""
    plain = {
        404: Problem(
            "Nothing is kept at this address.", fix="Check it, or go on from the start page."
        ),
        405: Problem("This address cannot be used in that way.", fix="Use the page's own form."),
    }
    return plain.get(fault.status_code, Problem(str(fault.detail)))

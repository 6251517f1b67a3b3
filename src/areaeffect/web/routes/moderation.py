"""What waits for a decision, for the holder of the token alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse
from starlette.routing import Route

from areaeffect.errors import DataError
from areaeffect.web import limits, render, safety, view_state
from areaeffect.web.rates import Rate
from areaeffect.web.refusals import Refusal
from areaeffect.web.site import site_of
from areaeffect.web.submission import read_form
from areaeffect.web.voices import KEY, RUN_NAME

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from areaeffect.web.settings import Settings

NAV: tuple[str, str] | None = None
PAGE = "/stories/moderate"
_SMALL = 4 * limits.KIB


def routes(settings: Settings) -> list[Route]:
    """Return the page; there is none without a token, which alone tells who may decide."""
    if settings.token is None:
        return []
    desk = Desk()
    return [
        Route(PAGE, desk.show, methods=["GET"]),
        Route(PAGE, desk.decide, methods=["POST"]),
        Route(f"{PAGE}/sign-in", desk.sign_in, methods=["POST"]),
    ]


class Desk:
    """Shows what waits and carries out decisions."""

    def __init__(self) -> None:
        self.tries = Rate(limits.SIGN_INS_AN_HOUR, 3600.0)

    async def show(self, request: Request) -> Response:
        """List what waits, or ask for the token."""
        view_state.parse(view_state.NoState, request.query_params.multi_items())
        site = site_of(request)
        if not safety.holds_token(request, site.settings):
            return render.page(request, "sign_in.html.j2", 401, title="Moderation", wrong=False)
        waiting = await run_in_threadpool(site.voices.waiting)
        runs = site.shelf.runs()
        told = [
            (v, contact, runs[v.run].title if v.run in runs else v.run) for v, contact in waiting
        ]
        return render.page(request, "moderate.html.j2", title="Moderation", waiting=told)

    async def decide(self, request: Request) -> Response:
        """Show or refuse one that waits."""
        site = site_of(request)
        if not safety.holds_token(request, site.settings):
            raise Refusal(401, "Only the holder of the token can decide.", f"Sign in at {PAGE}.")
        form = await read_form(request, _SMALL)
        run, key, decision = (str(form.get(name, "")) for name in ("run", "key", "decision"))
        if not RUN_NAME.fullmatch(run) or not KEY.fullmatch(key) or decision not in _DECISIONS:
            raise Refusal(422, "This is not a decision of the moderation page.", f"Go to {PAGE}.")
        try:
            await run_in_threadpool(site.voices.decide, run, key, show=_DECISIONS[decision])
        except DataError as error:
            raise Refusal(409, error.problems[0].what, error.problems[0].fix) from None
        return RedirectResponse(PAGE, 303)

    async def sign_in(self, request: Request) -> Response:
        """Give a cookie for the token."""
        site = site_of(request)
        form = await read_form(request, _SMALL)
        if not self.tries.allows(request.client.host if request.client else ""):
            what = "The token was tried too often from this address."
            raise Refusal(429, what, "Try again in an hour.", headers={"retry-after": "3600"})
        if not safety.is_token(str(form.get("token", "")), site.settings):
            return render.page(request, "sign_in.html.j2", 401, title="Moderation", wrong=True)
        answer = RedirectResponse(PAGE, 303)
        safety.give_cookie(answer, site.settings, request.url.scheme)
        return answer


_DECISIONS = {"show": True, "refuse": False}

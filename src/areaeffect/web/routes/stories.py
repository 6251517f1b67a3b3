"""Stories and events: to read, to send in, to take back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from areaeffect.web import limits, render, view_state
from areaeffect.web.rates import Rate
from areaeffect.web.refusals import Refusal
from areaeffect.web.run_views import places_of
from areaeffect.web.share import share, voice_card
from areaeffect.web.site import html, json_answer, site_of
from areaeffect.web.submission import (
    THEMES,
    TRAP,
    Submission,
    faults_of,
    read_form,
    submission_of,
)
from areaeffect.web.voices import RUN_NAME

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from areaeffect.web.kept import Answer
    from areaeffect.web.published import PublishedRun
    from areaeffect.web.settings import Settings
    from areaeffect.web.site import Site
    from areaeffect.web.voices import Voice

NAV: tuple[str, str] | None = ("Stories", "/stories")
_HOUR, _DAY = 3600.0, 86_400.0
_CODE_LETTERS = 64


@dataclass(frozen=True, slots=True)
class ListView:
    """Which stories are shown."""

    page: str = view_state.word(r"[1-9][0-9]{0,5}", "1", "the number of a page")


@dataclass(frozen=True, slots=True)
class FormView:
    """What the form is for."""

    kind: str = view_state.choice("story", "event")
    run: str = view_state.word(RUN_NAME.pattern, "", "the name of a published run")
    place: str = view_state.word(r"[a-z0-9-]{1,120}", "", "the name of a neighbourhood's page")


def routes(settings: Settings) -> list[Route]:
    """Return the pages of stories; those that take something only where somebody can moderate."""
    desk = Desk()
    reading = [
        Route("/stories", _list),
        Route("/stories.json", _list_json),
        Route("/stories/{key}", _story),
    ]
    if settings.read_only and settings.token is None:
        return reading
    return [
        Route("/stories/submit", desk.form, methods=["GET"]),
        Route("/stories/submit", desk.submit, methods=["POST"]),
        Route("/stories/withdraw", desk.ask_code, methods=["GET"]),
        Route("/stories/withdraw", desk.withdraw, methods=["POST"]),
        *reading,
    ]


async def _list(request: Request) -> Response:
    view = view_state.parse(ListView, request.query_params.multi_items())
    site = site_of(request)
    name = (request.url.path, view.page, site.state())
    return await site.keeper.respond(request, name, partial(_list_page, request, int(view.page)))


def _list_page(request: Request, number: int) -> Answer:
    site = site_of(request)
    told = site.told()
    pages = max(1, -(-len(told) // limits.ROWS_A_PAGE))
    if number > pages:
        raise Refusal(404, f"There are {pages} pages of stories.", "Choose one of them.", "page")
    first = (number - 1) * limits.ROWS_A_PAGE
    return html(
        request,
        "stories.html.j2",
        title="Stories and events",
        voices=[(v, site.title_of(v.run)) for v in told[first : first + limits.ROWS_A_PAGE]],
        number=number,
        pages=pages,
        takes_stories=site.takes_stories,
    )


async def _list_json(request: Request) -> Response:
    view_state.parse(view_state.NoState, request.query_params.multi_items())
    site = site_of(request)

    def make() -> Answer:
        return json_answer({"stories": [_plain(v) for v in site.told()]})

    return await site.keeper.respond(request, (request.url.path, site.state()), make)


async def _story(request: Request) -> Response:
    view_state.parse(view_state.NoState, request.query_params.multi_items())
    site = site_of(request)
    name = (request.url.path, site.state())
    return await site.keeper.respond(request, name, partial(_story_page, request))


def _story_page(request: Request) -> Answer:
    site = site_of(request)
    voice = site.voice(request.path_params["key"])
    run = site.shelf.run(voice.run)
    shared = share(site, request.url.path, voice.title, voice_card(run.title, voice))
    return html(
        request, "story.html.j2", title=voice.title, voice=voice, run=run, share=shared,
        takes_stories=site.takes_stories,
    )  # fmt: skip


def _plain(voice: Voice) -> dict[str, object]:
    """Return what is public of a story: nothing says who wrote it."""
    return {
        "address": f"/stories/{voice.key}",
        "kind": voice.kind,
        "run": voice.run,
        "neighbourhood": voice.place,
        "date": voice.date,
        "title": voice.title,
        "themes": list(voice.themes),
        "text": voice.text,
        "shown": voice.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


class Desk:
    """Takes stories in and gives them back, and remembers how many came from where."""

    def __init__(self) -> None:
        self.each = Rate(limits.STORIES_AN_HOUR, _HOUR)
        self.all = Rate(limits.STORIES_A_DAY, _DAY)
        self.codes = Rate(limits.SIGN_INS_AN_HOUR, _HOUR)

    async def form(self, request: Request) -> Response:
        """Show the empty form, or the runs to choose from."""
        view = view_state.parse(FormView, request.query_params.multi_items())
        site = site_of(request)
        if not view.run:
            runs = await run_in_threadpool(_open_runs, site)
            return render.page(
                request, "submit_where.html.j2", title="Send in a story or an event",
                runs=runs, kind=view.kind,
            )  # fmt: skip
        sent = Submission(
            kind="event" if view.kind == "event" else "story", run=view.run, place=view.place
        )
        run = site.shelf.run(view.run)
        return self._show(request, run, await run_in_threadpool(_places, site, run), sent, {})

    async def submit(self, request: Request) -> Response:
        """Check a form and put it on the list of those that wait."""
        view_state.parse(view_state.NoState, request.query_params.multi_items())
        site = site_of(request)
        sent = submission_of(await read_form(request))
        run = site.shelf.run(sent.run)
        places = await run_in_threadpool(_places, site, run)
        faults = faults_of(sent, places)
        if faults and not sent.trapped:
            return self._show(request, run, places, sent, faults)
        self._count(request)
        code = ""
        if not sent.trapped:
            voice = sent.voice(places[sent.place])
            code = await run_in_threadpool(site.voices.submit, voice, sent.contact)
        return render.page(request, "submitted.html.j2", 201, title="Thank you", code=code)

    def _count(self, request: Request) -> None:
        address = request.client.host if request.client else ""
        if not self.each.allows(address):
            what = f"{limits.STORIES_AN_HOUR} stories an hour are taken from one address."
            raise Refusal(429, what, "Try again in an hour.", headers={"retry-after": "3600"})
        if not self.all.allows("all"):
            what = f"{limits.STORIES_A_DAY} stories came in today; no more are taken."
            raise Refusal(503, what, "Try again tomorrow.", headers={"retry-after": "86400"})

    def _show(
        self,
        request: Request,
        run: PublishedRun,
        places: dict[str, str],
        sent: Submission,
        faults: dict[str, str],
    ) -> Response:
        what = "an event" if sent.kind == "event" else "a story"
        return render.page(
            request,
            "submit.html.j2",
            422 if faults else 200,
            title=f"{'Error: ' if faults else ''}Send in {what}",
            run=run,
            places=places,
            sent=sent,
            faults=faults,
            themes=THEMES,
            trap=TRAP,
            limits=limits,
        )

    async def ask_code(self, request: Request) -> Response:
        """Ask for the code of what is to be taken back."""
        view_state.parse(view_state.NoState, request.query_params.multi_items())
        return render.page(request, "withdraw.html.j2", title="Take something back", done=None)

    async def withdraw(self, request: Request) -> Response:
        """Take back what was sent in with a code."""
        form = await read_form(request)
        code = str(form.get("code", ""))[:_CODE_LETTERS]
        if not self.codes.allows(request.client.host if request.client else ""):
            what = "Too many codes were tried from this address."
            raise Refusal(429, what, "Try again in an hour.", headers={"retry-after": "3600"})
        done = await run_in_threadpool(site_of(request).voices.withdraw, code)
        status = 200 if done else 422
        return render.page(
            request, "withdraw.html.j2", status, title="Take something back", done=done
        )


def _places(site: Site, run: PublishedRun) -> dict[str, str]:
    """Return the neighbourhoods of a run: the name of their page and their name."""
    return {} if run.parts else {p.slug: p.name for p in places_of(site.shelf.result(run))}


def _open_runs(site: Site) -> list[PublishedRun]:
    """Return the runs that have pages of neighbourhoods."""
    return [run for run in site.shelf.runs().values() if _places(site, run)]

"""What is new as feeds, what happened as calendars, and the pictures of shared links."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from areaeffect.web import cards, feeds, share, view_state
from areaeffect.web.feeds import Entry, Happening
from areaeffect.web.kept import Answer, answer_of
from areaeffect.web.refusals import Refusal
from areaeffect.web.run_views import place_view
from areaeffect.web.site import Site, site_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from areaeffect.web.cards import Card
    from areaeffect.web.published import PublishedRun
    from areaeffect.web.settings import Settings
    from areaeffect.web.voices import Voice

NAV: tuple[str, str] | None = None


def routes(_settings: Settings) -> list[Route]:
    """Return feeds, calendars and pictures."""
    made = {
        "/feed.atom": _all_feed,
        "/stories/feed.atom": _stories_feed,
        "/runs/{run}/feed.atom": _run_feed,
        "/stories/events.ics": _calendar,
        "/runs/{run}/events.ics": _calendar,
    }
    of_pages = {
        "/runs/{run}": _run_card,
        "/runs/{run}/findings/{finding}": _finding_card,
        "/runs/{run}/neighbourhoods/{place}": _place_card,
        "/stories/{key}": _voice_card,
    }
    return [
        *(Route(path, _kept(make)) for path, make in made.items()),
        *(Route(f"{path}/card-{{card}}.png", _picture(of)) for path, of in of_pages.items()),
    ]


def _kept(make: Callable[[Site, Request], Answer]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        view_state.parse(view_state.NoState, request.query_params.multi_items())
        site = site_of(request)
        name = (request.url.path, site.state())
        return await site.keeper.respond(request, name, partial(make, site, request))

    return endpoint


def _all_feed(site: Site, request: Request) -> Answer:
    entries = [e for run in site.shelf.runs().values() for e in _findings(run)]
    return _feed(site, request, "Findings, stories and events", [*entries, *_voices(site)])


def _stories_feed(site: Site, request: Request) -> Answer:
    return _feed(site, request, "Stories and events", _voices(site))


def _run_feed(site: Site, request: Request) -> Answer:
    run = site.shelf.run(request.path_params["run"])
    return _feed(site, request, run.title, [*_findings(run), *_voices(site, run)])


def _feed(site: Site, request: Request, title: str, entries: Iterable[Entry]) -> Answer:
    body = feeds.atom(title, request.url.path, site.address, entries)
    return answer_of(body, feeds.ATOM_TYPE)


def _findings(run: PublishedRun) -> list[Entry]:
    from areaeffect.wording import headline, name_of

    return [
        Entry(
            path=f"/runs/{run.name}/findings/{key}",
            title=f"{name_of(f)}, {f.group}: {f.verdict}",
            summary=f"{headline(f)} ({run.title})",
            updated=run.changed,
            kind="finding",
        )
        for key, f in run.main.items()
    ]


def _voices(site: Site, run: PublishedRun | None = None) -> list[Entry]:
    return [
        Entry(
            path=f"/stories/{v.key}",
            title=v.title,
            summary=f"{' – '.join(p for p in (v.place, v.date) if p)}. {v.text[:500]}".strip(),
            updated=v.time,
            kind=v.kind,
        )
        for v in site.told(run)
    ]


def _calendar(site: Site, request: Request) -> Answer:
    name = request.path_params.get("run")
    run = site.shelf.run(name) if name else None
    held = site.shelf.runs()
    happenings = [
        Happening(
            path=f"/stories/{v.key}",
            day=v.date,
            title=v.title,
            place=v.place,
            run=held[v.run].title if v.run in held else v.run,
            updated=v.time,
        )
        for v in site.told(run)
        if v.kind == "event"
    ]
    title = run.title if run else "Events"
    return answer_of(feeds.calendar(title, site.address, happenings), feeds.CALENDAR_TYPE)


def _picture(of: Callable[[Site, Request], Card]) -> Callable[[Request], Any]:
    """Return an endpoint that draws what the page shows now, and nothing that it does not show."""

    async def endpoint(request: Request) -> Response:
        view_state.parse(view_state.NoState, request.query_params.multi_items())
        site = site_of(request)
        name = (request.url.path, site.state())
        return await site.keeper.respond(
            request, name, partial(_draw, of, site, request), lasting=True
        )

    return endpoint


def _draw(of: Callable[[Site, Request], Card], site: Site, request: Request) -> Answer:
    card = of(site, request)
    if card.key != request.path_params["card"]:
        raise Refusal(404, "There is no such picture.", "The page has changed: open it again.")
    return answer_of(cards.draw(card), "image/png")


def _run_card(site: Site, request: Request) -> Card:
    return share.run_card(site.shelf.run(request.path_params["run"]))


def _finding_card(site: Site, request: Request) -> Card:
    run = site.shelf.run(request.path_params["run"])
    finding = run.main.get(request.path_params["finding"])
    if finding is None:
        raise Refusal(404, "This run has no such finding.", "See the findings of the run.")
    return share.finding_card(run, finding)


def _place_card(site: Site, request: Request) -> Card:
    run = site.shelf.run(request.path_params["run"])
    return share.place_card(run, place_view(site.shelf.result(run), request.path_params["place"]))


def _voice_card(site: Site, request: Request) -> Card:
    voice: Voice = site.voice(request.path_params["key"])
    return share.voice_card(site.title_of(voice.run), voice)

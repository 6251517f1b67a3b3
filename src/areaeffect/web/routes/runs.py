"""Published runs: the list, the findings of each, its neighbourhoods and its plan."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from areaeffect.results import Column, Verdict
from areaeffect.web import view_state
from areaeffect.web.published import FINDINGS_FILE, PART, PublishedRun
from areaeffect.web.refusals import Refusal
from areaeffect.web.run_views import finding_view, groups_of, place_view, places_of
from areaeffect.web.share import finding_card, place_card, run_card, share
from areaeffect.web.site import csv_answer, html, json_answer, site_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from areaeffect.results import Finding
    from areaeffect.web.kept import Answer
    from areaeffect.web.settings import Settings
    from areaeffect.web.site import Site

NAV: tuple[str, str] | None = ("Published runs", "/runs")
KINDS = ("", ".json", ".csv")
_RUNS = (
    Column("run", "string", "Name of the run, which is its address"),
    Column("title", "string", "What was studied"),
    Column("question", "string", "What was asked"),
    *(Column(v.name.lower(), "integer", f"Findings that say ‘{v}’") for v in Verdict),
)


def routes(_settings: Settings) -> list[Route]:
    """Return the pages of runs, each with its data under the same address."""
    pages = (
        ("/runs", _list, KINDS),
        ("/runs/{run}", _run, KINDS),
        ("/runs/{run}/findings/{finding}", _finding, KINDS),
        ("/runs/{run}/neighbourhoods", _places, KINDS),
        ("/runs/{run}/neighbourhoods/{place}", _place, KINDS),
        ("/runs/{run}/plan", _plan, ("", ".json")),
    )
    made = [
        Route(f"{path}{kind}", _kept(make, kind.removeprefix(".")))
        for path, make, kinds in pages
        for kind in reversed(kinds)
    ]
    return [*made, Route("/runs/{run}/neighbourhoods/{place}/chart.svg", _kept(_chart, "svg"))]


def _kept(make: Callable[[Request, str], Answer], kind: str) -> Callable[[Request], Any]:
    """Return an endpoint whose answers are kept until a run or a story changes."""

    async def endpoint(request: Request) -> Response:
        view_state.parse(view_state.NoState, request.query_params.multi_items())
        site = site_of(request)
        name = (request.url.path, site.state())
        return await site.keeper.respond(request, name, partial(make, request, kind))

    return endpoint


def _list(request: Request, kind: str) -> Answer:
    site = site_of(request)
    runs = [
        {"run": run, "parts": _parts(request, run), **_verdicts(run)} for run in site.shelf.top()
    ]
    if kind:
        rows = [
            {"run": run.name, "title": run.title, "question": run.question, **_verdicts(run)}
            for run in site.shelf.runs().values()
        ]
        return csv_answer(_RUNS, rows) if kind == "csv" else json_answer({"runs": rows})
    faults = {} if site.settings.read_only else site.shelf.faults
    return html(request, "runs.html.j2", title="Published runs", runs=runs, faults=faults)


def _run(request: Request, kind: str) -> Answer:
    from areaeffect.report.tables import TABLES

    site = site_of(request)
    run = site.shelf.run(request.path_params["run"])
    if kind == "json":
        return json_answer(_told(run) | {"findings": [p | f.to_dict() for p, f in _all(site, run)]})
    if kind == "csv":
        rows = [p | f.to_dict() | {"caveats": " | ".join(f.caveats)} for p, f in _all(site, run)]
        part = (Column("part", "string", "Part of the collection"),) if run.parts else ()
        return csv_answer((*part, *TABLES["findings"].columns), rows)
    shared: dict[str, Any] = {
        "title": run.title,
        "run": run,
        "has": lambda name: (run.folder / name).is_file(),
        "share": share(site, request.url.path, run.title, run_card(run)),
    }
    if run.parts:
        return html(request, "collection.html.j2", items=_parts(request, run), **shared)
    return html(
        request,
        "run.html.j2",
        **shared,
        groups=groups_of(run),
        places=len(places_of(site.shelf.result(run))),
        voices=site.told(run),
        tables=run.tables(),
        takes_stories=site.takes_stories,
        seal=json.loads((run.folder / "design.json").read_text(encoding="utf-8"))["seal"],
    )


def _finding(request: Request, kind: str) -> Answer:
    from areaeffect.report.tables import TABLES

    site = site_of(request)
    run = site.shelf.run(request.path_params["run"])
    finding = run.main.get(request.path_params["finding"])
    if finding is None:
        raise Refusal(404, "This run has no such finding.", "See the findings of the run.")
    if kind == "json":
        return json_answer(_told(run) | {"finding": finding.to_dict()})
    if kind == "csv":
        row = finding.to_dict() | {"caveats": " | ".join(finding.caveats)}
        return csv_answer(TABLES["findings"].columns, [row])
    view = finding_view(run, request.path_params["finding"], finding)
    title = f"{view.name}: {finding.group}"
    shared = share(site, request.url.path, title, finding_card(run, finding))
    return html(request, "finding.html.j2", title=title, run=run, f=view, share=shared)


def _places(request: Request, kind: str) -> Answer:
    site = site_of(request)
    run = site.shelf.run(request.path_params["run"])
    places = places_of(site.shelf.result(run))
    if kind:
        columns = (
            Column("initiative", "string", "Initiative"),
            Column("neighbourhood", "string", "Neighbourhood"),
            Column("page", "string", "Address of its page"),
            Column("in_short", "string", "What was found there"),
        )
        rows = [
            {
                "initiative": p.initiative,
                "neighbourhood": p.name,
                "page": f"/runs/{run.name}/neighbourhoods/{p.slug}",
                "in_short": p.in_short,
            }
            for p in places
        ]
        return csv_answer(columns, rows) if kind == "csv" else json_answer({"neighbourhoods": rows})
    title = f"Neighbourhoods: {run.title}"
    return html(request, "places.html.j2", title=title, run=run, places=places)


def _place(request: Request, kind: str) -> Answer:
    from areaeffect.report.tables import TABLES

    site = site_of(request)
    run = site.shelf.run(request.path_params["run"])
    result = site.shelf.result(run)
    place = place_view(result, request.path_params["place"])
    if kind == "csv":
        spec = TABLES["findings"]
        return csv_answer(spec.columns, spec.rows(replace(result, findings=place.findings)))
    own = [v for v in site.told(run) if v.place in ("", place.name)]
    if kind == "json":
        findings = [f.to_dict() for f in place.findings]
        about = {"initiative": place.initiative, "neighbourhood": place.name}
        return json_answer(_told(run) | about | {"findings": findings})
    title = f"{place.name}, {place.initiative}"
    shared = share(site, request.url.path, title, place_card(run, place))
    return html(
        request, "place.html.j2", title=title, run=run, place=place, voices=own, share=shared,
        takes_stories=site.takes_stories, explained=_explained(),
        own_page=(run.folder / f"neighbourhoods/{place.slug}.html").is_file(),
    )  # fmt: skip


def _explained() -> dict[str, str]:
    from areaeffect.wording import plain

    return {"what": plain.WHAT_IT_IS, "one_place": plain.ON_ONE_PLACE, "charts": plain.CHARTS}


def _chart(request: Request, _kind: str) -> Answer:
    from areaeffect.web.kept import answer_of

    site = site_of(request)
    run = site.shelf.run(request.path_params["run"])
    place = place_view(site.shelf.result(run), request.path_params["place"])
    if not place.chart:
        raise Refusal(404, "There is no chart of this neighbourhood.", "See its page.")
    return answer_of(place.chart.encode(), "image/svg+xml")


def _plan(request: Request, kind: str) -> Answer:
    from areaeffect.report import plan_text, sections

    site = site_of(request)
    run = site.shelf.run(request.path_params["run"])
    if run.parts:
        raise Refusal(404, "A collection has no plan of its own.", "See the plans of its parts.")
    if kind == "json":
        return json_answer(json.loads(run.file("design.json").read_text(encoding="utf-8")))
    result = site.shelf.result(run)
    tables = [
        plan_text.planned_outcomes(result.plan),
        sections.analysed(result),
        sections.designs(result),
        sections.releases(result),
        plan_text.settings(result.plan),
    ]
    return html(
        request, "plan.html.j2", title=f"Plan: {run.title}", run=run, seal=result.seal,
        tables=[t for t in tables if t is not None],
    )  # fmt: skip


def _all(site: Site, run: PublishedRun) -> list[tuple[dict[str, str], Finding]]:
    """Return all findings of a run, or those of the parts of a collection with their part."""
    if not run.parts:
        return [({}, f) for f in run.findings]
    held = site.shelf.runs()
    named = ((part, held.get(f"{run.name}{PART}{part}")) for part in run.parts)
    return [({"part": part}, f) for part, own in named if own for f in own.findings]


def _told(run: PublishedRun) -> dict[str, Any]:
    """Say which run data are of, and the hash of the file they come from."""
    sha256 = hashlib.sha256((run.folder / FINDINGS_FILE).read_bytes()).hexdigest()
    design = {} if run.parts else json.loads((run.folder / "design.json").read_text("utf-8"))
    return {
        "run": run.name,
        "title": run.title,
        "question": run.question,
        "parts": [f"{run.name}{PART}{part}" for part in run.parts],
        "seal": design.get("seal", {}).get("sha256"),
        "made_from": {"file": f"/runs/{run.name}/files/findings.json", "sha256": sha256},
        "made_by": "areaeffect evaluate",
    }


def _parts(request: Request, run: PublishedRun) -> list[dict[str, Any]]:
    held = site_of(request).shelf.runs()
    named = [held.get(f"{run.name}{PART}{part}") for part in run.parts]
    return [{"run": part, **_verdicts(part)} for part in named if part is not None]


def _verdicts(run: PublishedRun) -> dict[str, int]:
    findings: list[Finding] = list(run.main.values())
    count = Counter(f.verdict for f in findings)
    return {v.name.lower(): count[v] for v in Verdict}

"""Compare: from a selection to its benchmark areas, what could be detected, and the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from areaeffect.compare.preflight import Obstacle, written_period
from areaeffect.compare.question import (
    ANSWER,
    BUFFERS,
    DESIGN,
    LONGEST_NAME,
    NEAREST,
    PAGE_FILE,
    PLACEBOS,
    POWER,
    REFUSED,
    Question,
    refuse_question,
)
from areaeffect.document.page import blocks_css
from areaeffect.errors import StudyError
from areaeffect.periods import label
from areaeffect.web import limits
from areaeffect.web.atlas import Atlas, atlases, find_atlas, others_of
from areaeffect.web.limits import Refusal, ServerSettings
from areaeffect.web.render import page, settings_of
from areaeffect.web.runs import base_of, runs_of
from areaeffect.web.search import name_of
from areaeffect.web.selection import Selection, View, choice, keep, parse, query, selected, word
from areaeffect.web.standing import RunState, offered, taken

if TYPE_CHECKING:
    from starlette.requests import Request


_KEY = re.compile(r"[0-9a-f]{20}")
#: Order on the page once everything is there: the answer first.
_PARTS = (ANSWER, POWER, DESIGN)


def _form(request: Request) -> Response:
    asked = parse(CompareForm, request.query_params.multi_items())
    return _show_form(request, settings_of(request), asked, {}, 200)


def _show_form(
    request: Request, settings: ServerSettings, asked: CompareForm, faults: dict[str, Fault], status: int
) -> Response:
    if not atlases(settings):
        return page(request, "compare_form.html.j2", title="Compare", atlas=None, areas=[])
    atlas = find_atlas(settings, asked.base)
    runs_of(settings).warm(atlas)
    selection, lines = listed(settings, atlas, asked)
    flight, areas = atlas.preflight, atlas.preflight.positions(selection.codes)
    if not faults and len(areas):
        faults = _faults(settings, atlas, question_of(asked, selection, atlas), asked)
    allowed = flight.starts(flight.usable(areas)) if len(areas) else areas
    return page(
        request,
        "compare_form.html.j2",
        status,
        title="Compare",
        atlas=atlas,
        asked=asked,
        areas=lines,
        name=asked.name or name_of(atlas, selection.codes),
        starts=[label(int(a), flight.kind) for a in allowed],
        written=written_period,
        kind=flight.kind,
        levels=flight.asks_levels,
        dated=[a for a in others_of(settings, atlas, selection.codes) if not a.preflight.asks_levels],
        outcomes=[o.title for o in flight.outcomes],
        faults=faults,
        offers={"placebos": PLACEBOS, "nearest": NEAREST, "buffer": [f"{b:g}" for b in BUFFERS]},
    )


def _faults(
    settings: ServerSettings, atlas: Atlas, question: Question, asked: CompareForm
) -> dict[str, Fault]:
    """Return what prevents a question, by field: before it is asked, and after.

    A form that has just been opened is checked by its areas alone.
    """
    obstacles = atlas.preflight.obstacles(question if asked.start else replace(question, start=""))
    if not obstacles and (asked.start or atlas.preflight.asks_levels):
        obstacles = runs_of(settings).refusal(atlas, question)
    return {o.field: fault_of(settings, atlas, o) for o in obstacles}


async def _ask(request: Request) -> Response:
    settings = settings_of(request)
    async with request.form(max_files=0, max_fields=limits.FORM_FIELDS) as form:
        asked = parse(CompareForm, pairs_of(form))

    def submit() -> Response:
        atlas = find_atlas(settings, asked.base)
        selection, _ = listed(settings, atlas, asked)
        question = question_of(asked, selection, atlas)
        faults = _faults(settings, atlas, question, replace(asked, start=question.start))
        try:
            refuse_question(base_of(atlas), question, tuple(atlas.position))
        except StudyError as error:
            fields = {"buffer_km": "buffer"}
            for p in error.problems:
                field, what = fields.get(p.where, p.where), f"{p.what} {p.fix}"
                faults.setdefault(field, Fault(field, what[:1].upper() + what[1:]))
        if faults:
            return _show_form(request, settings, asked, faults, 422)
        return RedirectResponse(f"/compare/{runs_of(settings).submit(atlas, question)}", 303)

    return await run_in_threadpool(submit)


def _standing(request: Request) -> RunState:
    key = request.path_params["key"]
    if not _KEY.fullmatch(key):
        raise Refusal(404, "There is no such run.", "Ask a question on the Compare page.")
    return runs_of(settings_of(request)).standing(key)


def _json(request: Request) -> Response:
    return JSONResponse(_standing(request).to_dict())


def _run(request: Request) -> Response:
    settings, standing = settings_of(request), _standing(request)
    atlas = find_atlas(settings, standing.atlas)
    selection = keep(settings, standing.question.areas)
    asked = asked_of(standing.question, atlas.key, selection)
    if REFUSED in standing.parts and not standing.active:
        return RedirectResponse(f"/compare{query(asked)}", 303)
    folder = runs_of(settings).folder / standing.key
    try:
        fragments = {
            part: Markup((folder / part / PAGE_FILE).read_text(encoding="utf-8"))
            for part in _PARTS
            if part in standing.parts
        }
    except (OSError, ValueError):
        what = "The files of this run are damaged."
        raise Refusal(503, what, "Ask the question again with another name.") from None
    levels = atlas.preflight.asks_levels
    return page(
        request,
        "compare_run.html.j2",
        title=standing.question.name,
        levels=levels,
        when="" if levels else f", from {written_period(standing.question.start)}",
        standing=standing,
        atlas=atlas,
        again=f"/compare{query(asked)}",
        fragments=fragments,
        files=offered(standing, folder),
    )


def _answer(request: Request) -> Response:
    settings, standing = settings_of(request), _standing(request)
    runs_of(settings).answer(standing.key, find_atlas(settings, standing.atlas))
    return RedirectResponse(f"/compare/{standing.key}", 303)


def _cancel(request: Request) -> Response:
    standing = _standing(request)
    runs_of(settings_of(request)).cancel(standing.key)
    return RedirectResponse(f"/compare/{standing.key}", 303)


def _file(request: Request) -> Response:
    folder = runs_of(settings_of(request)).folder / _standing(request).key
    return taken(folder, request.path_params["file"])


def _css(_request: Request) -> Response:
    return Response(blocks_css(), media_type="text/css", headers={"cache-control": "no-cache"})


@dataclass(frozen=True, slots=True)
class CompareForm(View):
    """The state of the Compare form, all of it in the address."""

    #: name, start: of the neighbourhood
    name: str = word(rf"[^\x00-\x1f\x7f]{{0,{LONGEST_NAME}}}", "", f"a name of up to {LONGEST_NAME} signs")
    start: str = word(r"[^\x00-\x1f\x7f]{0,40}", "", "a date such as April 2013")
    #: placebos, nearest, buffer: options, as written
    placebos: str = choice(*map(str, PLACEBOS))
    nearest: str = choice(*map(str, NEAREST))
    buffer: str = choice(*(f"{km:g}" for km in BUFFERS))


def question_of(asked: CompareForm, selection: Selection, atlas: Atlas) -> Question:
    """Return the question of a form, not yet checked; a date is written as the study writes it."""
    flight = atlas.preflight
    start = label(flight.earliest, flight.kind) if flight.asks_levels else asked.start.strip()
    return Question(
        areas=selection.codes,
        start=flight.normal_start(start),
        name=asked.name.strip(),
        placebos=int(asked.placebos),
        nearest=int(asked.nearest),
        buffer_km=float(asked.buffer),
    )


def asked_of(question: Question, atlas: str, selection: Selection) -> CompareForm:
    """Return the form that asks a question."""
    return CompareForm(
        base=atlas,
        areas=selection.areas,
        set=selection.set,
        name=question.name,
        start=question.start,
        placebos=str(question.placebos),
        nearest=str(question.nearest),
        buffer=f"{question.buffer_km:g}",
    )


def listed(settings: ServerSettings, atlas: Atlas, asked: CompareForm) -> tuple[Selection, list[Any]]:
    """Return the chosen areas, and a line for each: code, name, ward and authority."""
    selection = selected(settings, atlas, asked)
    table = atlas.table
    lines = []
    for code in selection.codes:
        i = atlas.position[code]
        around = [str(table[c][i]) for c in ("ward", "authority") if c in table]
        place = ", ".join(dict.fromkeys(a for a in around if a))
        lines.append({"code": code, "name": str(table["name"][i]), "place": place})
    return selection, lines


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field of the form, and links that ask what can be asked instead."""

    field: str  # of the form
    what: str  # in sentences
    repairs: tuple[tuple[str, str], ...] = ()  # the words of each link, and its address


def fault_of(settings: ServerSettings, atlas: Atlas, obstacle: Obstacle) -> Fault:
    """Return an obstacle as the form shows it."""
    links = []
    for repair in obstacle.repairs:
        selection = keep(settings, repair.question.areas)
        form = asked_of(repair.question, atlas.key, selection)
        links.append((repair.words, f"/compare{query(form)}"))
    return Fault(obstacle.field, obstacle.what, tuple(links))


def pairs_of(form: Any) -> list[tuple[str, str]]:
    """Return a form's fields as the pairs of an address; fields without a value are left out."""
    known = {f.name for f in fields(CompareForm)}
    return [(k, str(v)) for k, v in form.multi_items() if str(v) or k not in known]


#: Of a server that computes.
ROUTES = [
    Route("/compare", _form, methods=["GET"]),
    Route("/compare", _ask, methods=["POST"]),
    Route("/compare/blocks.css", _css),
    Route("/compare/{key}.json", _json),
    Route("/compare/{key}", _run),
    Route("/compare/{key}/answer", _answer, methods=["POST"]),
    Route("/compare/{key}/cancel", _cancel, methods=["POST"]),
    Route("/compare/{key}/{file:path}", _file),
]

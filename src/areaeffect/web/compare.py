"""Compare: from a selection to its benchmark areas, what could be detected, and the answer."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from areaeffect.compare.explore import ANSWER, ASKED, DESIGN, PAGE_FILE, PARQUET, POWER, REFUSED, RESULT
from areaeffect.compare.question import (
    BUFFERS,
    LONGEST_NAME,
    NEAREST,
    PLACEBOS,
    Obstacle,
    Question,
    refuse_question,
    written_period,
)
from areaeffect.document import svg
from areaeffect.document.folders import MANIFEST
from areaeffect.document.page import blocks_css
from areaeffect.errors import StudyError
from areaeffect.periods import label
from areaeffect.records import Json
from areaeffect.web import limits
from areaeffect.web.atlas import Atlas, atlases, find_atlas, others_of
from areaeffect.web.limits import Refusal, ServerSettings
from areaeffect.web.render import TYPES, page, settings_of
from areaeffect.web.runs import RunState, base_of, runs_of
from areaeffect.web.selection import Selection, View, choice, keep, name_of, parse, query, selected, word

if TYPE_CHECKING:
    from starlette.requests import Request


_KEY = re.compile(r"[0-9a-f]{20}")
_ARCHIVE = "everything.zip"
_FILE = re.compile(r"[A-Za-z0-9_.-]{1,100}(?:/[A-Za-z0-9_.-]{1,100}){0,3}")


class CompareForm(View):
    """The state of the Compare form, all of it in the address."""

    #: name, start: of the neighbourhood
    name: str = word(rf"[^\x00-\x1f\x7f]{{0,{LONGEST_NAME}}}", f"a name of up to {LONGEST_NAME} signs")
    start: str = word(r"[^\x00-\x1f\x7f]{0,40}", "a date such as April 2013")
    #: placebos, nearest, buffer: options, as written
    placebos: str = choice(*map(str, PLACEBOS))
    nearest: str = choice(*map(str, NEAREST))
    buffer: str = choice(*(f"{km:g}" for km in BUFFERS))


def _address(settings: ServerSettings, question: Question, atlas: Atlas) -> str:
    """Return the address of the form that asks a question."""
    selection = keep(settings, question.areas)
    asked: Json = {"base": atlas.key, "areas": selection.areas, "set": selection.set, "name": question.name}
    asked |= {"start": question.start, "placebos": str(question.placebos), "nearest": str(question.nearest)}
    return f"/compare{query(CompareForm(), **asked, buffer=f'{question.buffer_km:g}')}"


def _question(asked: CompareForm, selection: Selection, atlas: Atlas) -> Question:
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


def _faults(settings: ServerSettings, atlas: Atlas, question: Question) -> dict[str, Obstacle]:
    """Return what prevents a question, by field: before it is asked, and after.

    A form that has just been opened has no start: it is checked by its areas alone.
    """
    obstacles = atlas.preflight.obstacles(question)
    return {o.field: o for o in obstacles or runs_of(settings).refusal(atlas, question)}


def _form(request: Request) -> Response:
    asked = parse(CompareForm, request.query_params.multi_items())
    return _show_form(request, asked, {}, 200)


def _show_form(request: Request, asked: CompareForm, faults: dict[str, Obstacle], status: int) -> Response:
    settings = settings_of(request)
    if not atlases(settings):
        return page(request, "compare_form.html.j2", title="Compare", atlas=None, areas=[])
    atlas = find_atlas(settings, asked.base)
    runs_of(settings).warm(atlas)
    selection = selected(settings, atlas, asked)
    flight, areas, table = atlas.preflight, atlas.preflight.positions(selection.codes), atlas.table
    if not faults and len(areas):
        faults = _faults(settings, atlas, _question(asked, selection, atlas))
    allowed = flight.starts(flight.usable(areas)) if len(areas) else areas
    lines = [
        {"code": table["code"][i], "name": table["name"][i]}
        | {"place": ", ".join(dict.fromkeys(filter(None, (table["ward"][i], table["authority"][i]))))}
        for i in areas
    ]
    repairs = {
        f: [(r.words, _address(settings, r.question, atlas)) for r in o.repairs] for f, o in faults.items()
    }
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
        repairs=repairs,
        offers={"placebos": PLACEBOS, "nearest": NEAREST, "buffer": [f"{b:g}" for b in BUFFERS]},
    )


async def _ask(request: Request) -> Response:
    settings = settings_of(request)
    async with request.form(max_files=0, max_fields=limits.FORM_FIELDS) as form:
        asked = parse(CompareForm, [(name, str(value)) for name, value in form.multi_items()])

    def submit() -> Response:
        atlas = find_atlas(settings, asked.base)
        question = _question(asked, selected(settings, atlas, asked), atlas)
        faults = _faults(settings, atlas, question)
        try:
            refuse_question(base_of(atlas), question, len(atlas.position))
        except StudyError as error:
            for p in error.problems:
                what = f"{p.what} {p.fix}"
                faults.setdefault(p.where, Obstacle(p.where, what[:1].upper() + what[1:]))
        if faults:
            return _show_form(request, asked, faults, 422)
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
    atlas, question = find_atlas(settings, standing.atlas), standing.question
    again = _address(settings, question, atlas)
    if REFUSED in standing.parts and not standing.active:
        return RedirectResponse(again, 303)
    folder, levels = runs_of(settings).folder / standing.key, atlas.preflight.asks_levels
    try:
        parts = [part for part in (ANSWER, POWER, DESIGN) if part in standing.parts]
        fragments = {p: Markup((folder / p / PAGE_FILE).read_text(encoding="utf-8")) for p in parts}
    except (OSError, ValueError):
        what = "The files of this run are damaged."
        raise Refusal(503, what, "Ask the question again with another name.") from None
    return page(
        request,
        "compare_run.html.j2",
        title=question.name,
        levels=levels,
        when="" if levels else f", from {written_period(question.start)}",
        standing=standing,
        atlas=atlas,
        again=again,
        fragments=fragments,
        pictures=_pictures(folder / RESULT / "charts"),
    )


def _pictures(charts: Path) -> list[tuple[str, str]]:
    """Return name and title of the charts of a run that are worth taking away: those of several dates."""
    drawn = [
        (path.stem, svg.title_of(path.read_text(encoding="utf-8")))
        for path in sorted(charts.glob("*-trend.svg"))
        if len(path.with_suffix(".csv").read_text(encoding="utf-8").splitlines()) > 2  # noqa: PLR2004  # head, date
    ]
    together = [(path.stem, "All outcomes") for path in charts.glob("*-effects.svg")]
    return drawn if len(drawn) == 1 else together + drawn


def _answer(request: Request) -> Response:
    settings, standing = settings_of(request), _standing(request)
    runs_of(settings).answer(standing.key, find_atlas(settings, standing.atlas))
    return RedirectResponse(f"/compare/{standing.key}", 303)


def _cancel(request: Request) -> Response:
    standing = _standing(request)
    runs_of(settings_of(request)).cancel(standing.key)
    return RedirectResponse(f"/compare/{standing.key}", 303)


def _file(request: Request) -> Response:
    """Return one file of a run, to be saved: a page of ours never runs what a result holds."""
    folder, name = runs_of(settings_of(request)).folder / _standing(request).key, request.path_params["file"]
    if name == _ARCHIVE and (folder / RESULT).is_dir():
        headers = {"content-disposition": f'attachment; filename="{folder.name}.zip"'}
        return Response(_archive(folder), media_type="application/zip", headers=headers)
    root = folder.resolve()
    for place in (".", ASKED, DESIGN, POWER, RESULT) if _FILE.fullmatch(name) else ():
        path = (root / place / name).resolve()
        if root in path.parents and path.is_file() and path.suffix in TYPES:
            headers = {"content-disposition": f'attachment; filename="{folder.name[:8]}-{path.name}"'}
            return FileResponse(path, media_type=TYPES[path.suffix], headers=headers)
    fix = "Go back to the run's page: it lists what there is."
    raise Refusal(404, "This run has no such file, or not yet.", fix)


def _archive(folder: Path) -> bytes:
    """Pack study file, results and Parquet tables; the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, inside in ((ASKED, ""), (RESULT, ""), (PARQUET, f"{PARQUET}/")):
            for path in sorted((folder / part).rglob("*")):
                if path.is_file() and (part == RESULT or path.name != MANIFEST):
                    name = f"{folder.name}/{inside}{path.relative_to(folder / part).as_posix()}"
                    entry = zipfile.ZipInfo(name)
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    archive.writestr(entry, path.read_bytes())
    return out.getvalue()


def _css(_request: Request) -> Response:
    return Response(blocks_css(), media_type="text/css", headers={"cache-control": "no-cache"})


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

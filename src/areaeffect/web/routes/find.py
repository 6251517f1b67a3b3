"""Find and look: search, choose, and see places on a map and in a table."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from areaeffect.records import Json
from areaeffect.web import limits, render, search
from areaeffect.web.atlas import Atlas, Layer, atlases, find_atlas
from areaeffect.web.limits import Refusal, ServerSettings
from areaeffect.web.render import page, settings_of, wants_json
from areaeffect.web.selection import (
    Selection,
    View,
    choice,
    keep,
    keep_uploaded,
    parse,
    query,
    selected,
    word,
)
from areaeffect.web.table import FIFTHS, direction, legend, page_of

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request

    from areaeffect.web.search import SearchResult


@dataclass(frozen=True, slots=True)
class FindView(View):
    """State of the Find page."""

    #: what was searched for
    q: str = word(rf"[^\x00-\x1f]{{0,{limits.SEARCH_LETTERS}}}", "", "a name, postcode or code")
    #: sort, page: of the table
    sort: str = choice("name", "high", "low")
    page: str = word(r"[1-9][0-9]{0,3}", "1", "the number of a page")


def _find(request: Request) -> Response:
    settings = settings_of(request)
    view = parse(FindView, request.query_params.multi_items())
    if not atlases(settings):
        return page(request, "find_empty.html.j2", title="Find")
    atlas = find_atlas(settings, view.base)
    layer = atlas.layer(view.layer)
    period = layer.position(view.period)
    chosen = selected(settings, atlas, view)
    found = search.search(atlas, view.q)
    values = atlas.values(layer, period)
    rows = page_of(atlas, layer, values, _rows(atlas, chosen, found), chosen.codes, view.sort, int(view.page))
    if wants_json(request.headers, request.url.path):
        return JSONResponse(_twin(atlas, layer, period, chosen, found, view))
    return page(
        request,
        "find.html.j2",
        title="Find your neighbourhood",
        view=view,
        atlas=atlas,
        others=[a for a in atlases(settings).values() if a.key != atlas.key],
        layer=layer,
        period=layer.periods[period],
        groups=_groups(atlas),
        legend=legend(layer),
        direction=direction(layer),
        n_missing=layer.missing[period],
        chosen=_named(atlas, chosen),
        found=found,
        hits=[(p, search.codes(atlas, p.positions) <= set(chosen.codes)) for p in found.places],
        table=rows,
        state=query(view).lstrip("?"),
        map=_map(atlas, layer, period, chosen, found),
        attribution=atlas.manifest["attribution"],
        no_map=render.NO_MAP,
        hashes=render.vendor_hashes(),
    )


def _rows(atlas: Atlas, chosen: Selection, found: SearchResult) -> list[int]:
    """Return the areas of the table: those found, else those chosen, else all."""
    if found.places:
        return sorted({i for place in found.places for i in place.positions})
    if chosen.codes:
        return [atlas.position[code] for code in chosen.codes]
    return list(range(len(atlas.position)))


def _groups(atlas: Atlas) -> dict[str, list[Layer]]:
    groups: dict[str, list[Layer]] = {}
    for layer in atlas.layers.values():
        groups.setdefault(layer.group, []).append(layer)
    return groups


def _named(atlas: Atlas, chosen: Selection) -> list[dict[str, str]]:
    table = atlas.table
    return [
        {"code": code, "name": str(table["name"][i]), "ward": str(table["ward"][i])}
        for code in chosen.codes
        for i in (atlas.position[code],)
    ]


def _map(
    atlas: Atlas, layer: Layer, period: int, chosen: Selection, found: SearchResult
) -> dict[str, str] | None:
    """Return what the map's script reads, as text; None where there is no map."""
    if not atlas.has_map or not render.vendor_hashes():
        return None
    values = atlas.version(f"values/{layer.key}.{period}.json.gz")
    first = found.places[0] if found.places else None
    at = f"/atlases/{atlas.key}"
    return {
        "tiles": f"{at}/areas.pmtiles?v={atlas.version('areas.pmtiles')}",
        "values": f"{at}/values/{layer.key}/{period}.json?v={values}",
        "names": f"{at}/names.json?v={atlas.version('names.json.gz')}",
        "breaks": json.dumps(layer.breaks),
        "fifths": json.dumps(FIFTHS),
        "bounds": json.dumps(_bounds(atlas, chosen, found)),
        "whole": json.dumps(atlas.manifest["bounds"]),
        "chosen": json.dumps(chosen.codes),
        "found": json.dumps(sorted(search.codes(atlas, first.positions)) if first else []),
        "ring": json.dumps(chosen.shape),
    }


def _bounds(atlas: Atlas, chosen: Selection, found: SearchResult) -> list[float]:
    """Return west, south, east, north of what was found, else chosen, with room; else of all."""
    where = [atlas.position[code] for code in chosen.codes]
    if found.places:
        where = list(found.places[0].positions)
    if not where:
        return [float(edge) for edge in atlas.manifest["bounds"]]
    lon, lat = atlas.table["lon"][where], atlas.table["lat"][where]
    room = 0.012
    return [
        round(float(lon.min()) - room * 1.6, 5),
        round(float(lat.min()) - room, 5),
        round(float(lon.max()) + room * 1.6, 5),
        round(float(lat.max()) + room, 5),
    ]


def _twin(
    atlas: Atlas, layer: Layer, period: int, chosen: Selection, found: SearchResult, view: FindView
) -> Json:
    values = atlas.values(layer, period)

    def area(i: int) -> Json:
        value = float(values[i])
        own = {k: str(atlas.table[k][i]) for k in ("code", "name", "ward", "authority")}
        return own | {"value": None if math.isnan(value) else value}

    return {
        "base": atlas.key,
        "layer": layer.key,
        "title": layer.title,
        "unit": layer.unit,
        "period": layer.periods[period],
        "chosen": [area(atlas.position[code]) for code in chosen.codes],
        "set": chosen.set,
        "found": [
            {
                "kind": place.kind,
                "name": place.name,
                "within": place.within,
                "areas": [str(atlas.table["code"][i]) for i in place.positions],
            }
            for place in found.places
        ],
        "more": found.more,
        "hint": found.hint,
        "page": f"/find{query(view)}",
    }


async def _change(request: Request) -> Response:
    """Change the selection of a view, and go to the view's new address."""
    settings = settings_of(request)
    async with request.form(max_files=0, max_fields=limits.FORM_FIELDS) as form:
        view, atlas, chosen = _of_form(settings, form)
        ring: search.Ring = ()
        if "add" in form:
            chosen |= search.of_key(atlas, _text(form, "add"))
        elif "remove" in form:
            chosen -= {_text(form, "remove")}
        elif "toggle" in form:
            chosen ^= search.of_key(atlas, _text(form, "toggle"))
        elif "clear" in form:
            chosen = set()
        elif "codes" in form:
            chosen |= search.pasted(atlas, _text(form, "codes"))
        elif "near" in form:
            chosen |= search.near(atlas, _text(form, "near"), _text(form, "km"))
        elif "shape" in form:
            ring = search.ring(_text(form, "shape"))
            chosen = search.drawn(atlas, ring)
        else:
            raise Refusal(422, "The request is empty.", "Use the buttons of the Find page.")
    kept = keep(settings, chosen, ring)
    return RedirectResponse(f"/find{query(view, areas=kept.areas, set=kept.set, page='1')}", 303)


async def _upload(request: Request) -> Response:
    """Choose the areas that an uploaded file names or draws; not where everyone may ask."""
    settings = settings_of(request)
    if settings.read_only:
        fix = "Search, paste area codes, or run areaeffect on your own machine."
        raise Refusal(403, "This server takes no files.", fix)
    async with request.form(max_files=1, max_fields=limits.FORM_FIELDS) as form:
        view, atlas, chosen = _of_form(settings, form)
        file = form.get("file")
        if file is None or isinstance(file, str) or not file.filename:
            raise Refusal(422, "No file was sent.", "Choose a file first.", "file")
        kept = await run_in_threadpool(keep_uploaded, settings, atlas, chosen, file.filename, file.file)
    return RedirectResponse(f"/find{query(view, areas=kept.areas, set=kept.set, page='1')}", 303)


def _of_form(settings: ServerSettings, form: FormData) -> tuple[FindView, Atlas, set[str]]:
    """Return the view that a form is about, its atlas, and the areas chosen."""
    view = parse(FindView, parse_qsl(_text(form, "view"), keep_blank_values=True))
    atlas = find_atlas(settings, view.base)
    return view, atlas, set(selected(settings, atlas, view).codes)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


ROUTES = [
    Route("/find", _find),
    Route("/find.json", _find),
    Route("/find/change", _change, methods=["POST"]),
    Route("/find/upload", _upload, methods=["POST"]),
]

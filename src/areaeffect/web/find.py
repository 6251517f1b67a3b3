"""Find and look: search, choose, and see places on a map and in a table."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from areaeffect.records import Json
from areaeffect.results import Floats
from areaeffect.web import limits, render, selection
from areaeffect.web.atlas import FIFTHS, Atlas, Layer, atlases, find_atlas, printed
from areaeffect.web.limits import Refusal, ServerSettings
from areaeffect.web.other_ways import near, uploaded
from areaeffect.web.render import page, settings_of
from areaeffect.web.selection import SearchResult, Selection, View, choice, keep, parse, query, selected, word
from areaeffect.wording.numbers import PHRASES, known, phrase

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request


class FindView(View):
    """State of the Find page."""

    q: str = word(rf"[^\x00-\x1f]{{0,{limits.SEARCH_LETTERS}}}", "a name, postcode or code")
    #: sort, page: of the table
    sort: str = choice("name", "high", "low")
    page: str = word(r"[1-9][0-9]{0,3}", "the number of a page", "1")


def _find(request: Request) -> Response:
    settings = settings_of(request)
    view = parse(FindView, request.query_params.multi_items())
    if not atlases(settings):
        return page(request, "find_empty.html.j2", title="Find")
    atlas = find_atlas(settings, view.base)
    layer = atlas.layer(view.layer)
    period = layer.position(view.period)
    values = atlas.values(layer, period)
    chosen, found = selected(settings, atlas, view), selection.search(atlas, view.q)
    if request.url.path.endswith(".json"):
        return _json(atlas, layer, period, chosen, found, view)
    groups: dict[str, list[Layer]] = {}
    for one in atlas.layers.values():
        groups.setdefault(one.group, []).append(one)
    edges = [printed(b) for b in layer.breaks]
    legend = [f"under {edges[0]}", *(f"{a} to {b}" for a, b in pairwise(edges))] if edges else []
    good = "worse" if layer.better == "lower" else "better"
    return page(
        request,
        "find.html.j2",
        title="Find your neighbourhood",
        view=view,
        atlas=atlas,
        others=[a for a in atlases(settings).values() if a.key != atlas.key],
        layer=layer,
        period=layer.periods[period],
        groups=groups,
        legend=[*legend, f"{edges[-1]} and over"] if edges else [],
        direction=phrase("look.darker", good=good) if layer.better else PHRASES["look.neither"],
        n_missing=layer.missing[period],
        chosen=[_area(atlas, atlas.position[code]) for code in chosen.codes],
        found=found,
        hits=[(p, selection.codes(atlas, p.positions) <= set(chosen.codes)) for p in found.places],
        table=_table(atlas, layer, values, chosen, found, view),
        state=query(view).lstrip("?"),
        map=_map(atlas, layer, period, chosen, found),
        attribution=atlas.manifest["attribution"],
        no_map=render.NO_MAP,
        hashes=render.vendor_hashes(),
    )


def _json(
    atlas: Atlas, layer: Layer, period: int, chosen: Selection, found: SearchResult, view: FindView
) -> Response:
    """Return what the page shows, for programs."""
    values, where = atlas.values(layer, period), [atlas.position[code] for code in chosen.codes]
    about = {"base": atlas.key, "layer": layer.key, "title": layer.title, "unit": layer.unit}
    about |= {"period": layer.periods[period], "page": f"/find{query(view)}", "set": chosen.set}
    areas = [_area(atlas, i) | {"value": known(float(values[i]))} for i in where]
    own = [sorted(selection.codes(atlas, place.positions)) for place in found.places]
    places = [
        {"kind": place.kind, "name": place.name, "within": place.within, "areas": codes}
        for place, codes in zip(found.places, own, strict=True)
    ]
    return JSONResponse(about | {"chosen": areas, "found": places, "more": found.more, "hint": found.hint})


def _area(atlas: Atlas, i: int) -> Json:
    return {k: str(atlas.table[k][i]) for k in ("code", "name", "ward", "authority")}


def _table(
    atlas: Atlas, layer: Layer, values: Floats, chosen: Selection, found: SearchResult, view: FindView
) -> Json:
    """Return one page of the areas found, else of those chosen, else of all; missing values come last."""
    where = np.arange(len(values))
    if found.places:
        where = np.array(sorted({i for place in found.places for i in place.positions}))
    elif chosen.codes:
        where = np.array([atlas.position[code] for code in chosen.codes])
    keys = atlas.table["name"][where].astype(str)
    if view.sort != "name":
        keys = -values[where] if view.sort == "high" else values[where]  # NaN sorts last
    where = where[np.argsort(keys, kind="stable")]
    size = limits.ROWS_A_PAGE
    pages = max(1, -(-len(where) // size))
    number = min(int(view.page), pages)
    rows = [
        _area(atlas, i)
        | {"printed": printed(values[i]), "fifth": layer.fifth(values[i])}
        | {"chosen": atlas.table["code"][i] in chosen.codes}
        for i in where[(number - 1) * size : number * size]
    ]
    return {"rows": rows, "number": number, "pages": pages, "total": len(where)}


def _map(atlas: Atlas, layer: Layer, period: int, chosen: Selection, found: SearchResult) -> Json | None:
    """Return what the map's script reads, as text; None where there is no map.

    It shows what was found, else what is chosen, with room around it, else all.
    """
    if not atlas.has_map or not render.vendor_hashes():
        return None
    at, values = f"/atlases/{atlas.key}", f"values/{layer.key}.{period}.json.gz"
    first = list(found.places[0].positions) if found.places else []
    bounds = [float(edge) for edge in atlas.manifest["bounds"]]
    if where := first or [atlas.position[code] for code in chosen.codes]:
        lon, lat, room = atlas.table["lon"][where], atlas.table["lat"][where], np.array([0.0192, 0.012])
        low, high = np.array([lon.min(), lat.min()]) - room, np.array([lon.max(), lat.max()]) + room
        bounds = [round(float(edge), 5) for edge in (*low, *high)]
    return {
        "tiles": f"{at}/areas.pmtiles?v={atlas.version('areas.pmtiles')}",
        "values": f"{at}/values/{layer.key}/{period}.json?v={atlas.version(values)}",
        "names": f"{at}/names.json?v={atlas.version('names.json.gz')}",
        "breaks": json.dumps(layer.breaks),
        "fifths": json.dumps(FIFTHS),
        "bounds": json.dumps(bounds),
        "whole": json.dumps(atlas.manifest["bounds"]),
        "chosen": json.dumps(chosen.codes),
        "found": json.dumps(sorted(selection.codes(atlas, first))),
        "ring": json.dumps(chosen.shape),
    }


async def _change(request: Request) -> Response:
    """Change the selection of a view, and go to the view's new address."""
    settings = settings_of(request)
    async with request.form(max_files=0, max_fields=limits.FORM_FIELDS) as form:
        view, atlas, chosen = _of_form(settings, form)
        ring: selection.Ring = ()
        if "add" in form:
            chosen |= selection.of_key(atlas, _text(form, "add"))
        elif "remove" in form:
            chosen -= {_text(form, "remove")}
        elif "toggle" in form:
            chosen ^= selection.of_key(atlas, _text(form, "toggle"))
        elif "clear" in form:
            chosen = set()
        elif "codes" in form:
            chosen |= selection.pasted(atlas, _text(form, "codes"))
        elif "near" in form:
            chosen |= near(atlas, _text(form, "near"), _text(form, "km"))
        elif "shape" in form:
            chosen, ring = selection.drawn(atlas, _text(form, "shape"))
        else:
            raise Refusal(422, "The request is empty.", "Use the buttons of the Find page.")
    return _shown(view, keep(settings, chosen, ring))


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
        found = await run_in_threadpool(uploaded, atlas, chosen, file.filename, file.file)
    return _shown(view, keep(settings, *found))


def _shown(view: FindView, kept: Selection) -> Response:
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

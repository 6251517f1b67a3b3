"""A neighbourhood beside its council and country: one area at `/areas/CODE`, several at `/neighbourhood`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from areaeffect.document.chart_tables import guard
from areaeffect.document.page import pictures
from areaeffect.records import Json
from areaeffect.web.atlas import FIFTHS, Atlas, find_atlas, others_of, printed
from areaeffect.web.history import History, histories_of, latest_of, said_of
from areaeffect.web.limits import Refusal
from areaeffect.web.render import environment, page, settings_of
from areaeffect.web.selection import View, name_of, parse, query, selected

if TYPE_CHECKING:
    from starlette.requests import Request


_TOGETHER = "/neighbourhood"
#: Another site may show a chart in a frame, and nothing else.
_EMBEDDED = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePlace:
    """The area, or the areas together, that a page is about."""

    atlas: Atlas
    codes: tuple[str, ...]
    name: str
    path: str  # its address, without a query
    view: View
    own: str  # the query of its files: which areas, of which atlas
    chosen: tuple[str, ...]  # codes that the visitor has chosen

    @property
    def areas(self) -> list[int]:
        """Positions of its areas in the atlas."""
        return [self.atlas.position[code] for code in self.codes]


def _place(request: Request) -> PagePlace:
    settings, view = settings_of(request), parse(View, request.query_params.multi_items())
    atlas = find_atlas(settings, view.base)
    codes = chosen = selected(settings, atlas, view).codes
    path, own = _TOGETHER, query(view, layer="", period="")
    if code := request.path_params.get("code"):
        atlas.require([code])
        codes, path, own = (code,), f"/areas/{code}", query(view, layer="", period="", areas=(), set="")
    elif not chosen:
        raise Refusal(404, "No area is chosen.", "Find a place and add its areas first.", "areas")
    name = str(atlas.table["name"][atlas.position[code]]) if code else name_of(atlas, codes)
    return PagePlace(atlas=atlas, codes=codes, name=name, path=path, view=view, own=own, chosen=chosen)


def _page(request: Request) -> Response:
    place, settings = _place(request), settings_of(request)
    atlas, table = place.atlas, place.atlas.table
    base = settings.base_url or str(request.base_url).rstrip("/")
    histories = [
        (h, said_of(h, atlas, len(place.codes)), h.chart(place.name))
        for h in histories_of(place.atlas, place.codes)
    ]
    return page(
        request,
        "area.html.j2",
        title=place.name,
        place=place,
        about={
            k: sorted({str(table[k][i]) for i in place.areas} - {""}) for k in ("ward", "authority", "region")
        },
        areas=[(c, str(table["name"][i])) for c, i in zip(place.codes, place.areas, strict=True)],
        is_chosen=set(place.codes) <= set(place.chosen),
        state=query(place.view).lstrip("?"),
        histories=histories,
        figures=_figures(atlas, place.areas),
        embed=f"{base}{place.path}" if settings.token is None else "",
        others=others_of(settings, atlas, place.codes),
        attribution=atlas.manifest["attribution"],
    )


def _figures(atlas: Atlas, areas: list[int]) -> list[Json]:
    """Return the layers of one date: the value of one area, or the middle and the range of some.

    Outcomes and their gaps have their own part of the page.
    """
    own, rows = {entry["key"] for entry in atlas.manifest["histories"]}, []
    for layer in atlas.layers.values():
        if layer.key in own or layer.key.startswith("coverage-"):
            continue
        values = atlas.values(layer, len(layer.periods) - 1)[areas]
        known = values[~np.isnan(values)]
        value = printed(float(np.median(known)) if len(known) else math.nan)
        if len(known) and len(areas) > 1:
            value += f" ({printed(float(known.min()))} to {printed(float(known.max()))})"
        fifth = layer.fifth(float(values[0])) if len(areas) == 1 else None
        among = FIFTHS[fifth] if fifth is not None and len(layer.breaks) == len(FIFTHS) - 1 else ""
        if among and layer.better and fifth in (0, len(FIFTHS) - 1):
            among += " (better)" if (fifth == 0) == (layer.better == "lower") else " (worse)"
        rows.append({"title": layer.title, "value": value, "unit": layer.unit, "fifth": among})
    return rows


def _history(request: Request) -> tuple[History, PagePlace, str]:
    """Return the history that an address names, of which place, and its chart."""
    place, key = _place(request), request.path_params["key"]
    history = next((h for h in histories_of(place.atlas, place.codes) if h.key == key), None)
    if history is None:
        raise Refusal(404, "This place has no such history.", "Choose one on its page.")
    return history, place, history.chart(place.name)


def _csv(request: Request) -> Response:
    import pandas as pd

    history, place, _ = _history(request)
    same = {"unit": guard(history.unit), "area_code": " ".join(place.codes)}
    same |= {f"{c}_name": guard(n) for c, n in zip(history.columns[1:], history.head[1:], strict=True)}
    text = pd.DataFrame(history.rows).assign(**same).to_csv(index=False, float_format="%.12g")
    name = f"{place.codes[0] if len(place.codes) == 1 else 'neighbourhood'}-{history.key}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _json(request: Request) -> Response:
    """Return the page of a place for programs: its areas, figures and histories."""
    place = _place(request)
    table, about = place.atlas.table, ("code", "name", "ward", "authority", "region")
    return JSONResponse(
        {
            "name": place.name,
            "base": place.atlas.key,
            "page": f"{place.path}{query(place.view)}",
            "areas": [{k: str(table[k][i]) for k in about} for i in place.areas],
            "figures": _figures(place.atlas, place.areas),
            "histories": [
                {"key": h.key, "title": h.title, "unit": h.unit, "rows": h.rows}
                | {"places": dict(zip(h.columns, h.head, strict=True))}
                for h in histories_of(place.atlas, place.codes)
            ],
        }
    )


def _drawn(request: Request) -> Response:
    """Return one chart as SVG or PNG, or with its words for a frame on another site."""
    history, place, chart = _history(request)
    if not chart:
        raise Refusal(404, "One figure makes no chart.", "The page of the place has its number.")
    kind, headers = request.url.path[-4:], {"cross-origin-resource-policy": "cross-origin"}
    if kind == ".png":
        return Response(pictures([chart])[0], media_type="image/png", headers=headers)
    if kind == ".svg":
        return Response(chart, media_type="image/svg+xml", headers=headers)
    base = settings_of(request).base_url or str(request.base_url).rstrip("/")
    text = (
        environment()
        .get_template("embed.html.j2")
        .render(
            title=f"{history.title}: {place.name}",
            said=latest_of(history),
            chart=chart,
            address=f"{base}{place.path}{query(place.view, layer='', period='')}",
            attribution=place.atlas.manifest["attribution"],
        )
    )
    return HTMLResponse(text, headers={"content-security-policy": _EMBEDDED})


ROUTES = [
    Route(path + file, answer)
    for path in ("/areas/{code}", _TOGETHER)
    for file, answer in (
        (".json", _json),
        ("/{key}.csv", _csv),
        ("/{key}.svg", _drawn),
        ("/{key}.png", _drawn),
        ("/{key}/embed", _drawn),
        ("", _page),
    )
]

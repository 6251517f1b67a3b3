"""Find and look: search, choose, and see places on a map and in a table."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from areaeffect.pipeline.atlas_select import inside, within
from areaeffect.web import limits, vendor_files
from areaeffect.web.atlas import atlases, find_atlas
from areaeffect.web.refusals import Refusal
from areaeffect.web.render import page, settings_of, wants_json
from areaeffect.web.routes.atlas_files import tiles_address, values_address
from areaeffect.web.search import find_key, search
from areaeffect.web.selection import keep, selected
from areaeffect.web.table import legend, page_of
from areaeffect.web.view_state import View, choice, parse, query, word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.datastructures import FormData
    from starlette.requests import Request

    from areaeffect.web.atlas import Atlas, Layer
    from areaeffect.web.search import Found
    from areaeffect.web.selection import Selection
    from areaeffect.web.settings import Settings

NAV: tuple[str, str] | None = ("Find", "/find")
LEAST_CORNERS = 3


@dataclass(frozen=True, slots=True)
class FindView(View):
    """State of the Find page.

    Parameters
    ----------
    q : what was searched for.
    sort, page : of the table.
    """

    q: str = word(rf"[^\x00-\x1f]{{0,{limits.SEARCH_LETTERS}}}", "", "a name, postcode or code")
    sort: str = choice("name", "high", "low")
    page: str = word(r"[1-9][0-9]{0,3}", "1", "the number of a page")


def routes(_settings: Settings) -> list[Route]:
    """Return the Find page, its JSON twin, and the form that changes a selection."""
    return [
        Route("/find", _find),
        Route("/find.json", _find),
        Route("/find/change", _change, methods=["POST"]),
    ]


def _find(request: Request) -> Response:
    settings = settings_of(request)
    view = parse(FindView, request.query_params.multi_items())
    if not atlases(settings):
        return page(request, "find_empty.html.j2", title="Find")
    atlas = find_atlas(settings, view.base)
    layer = atlas.layer(view.layer)
    period = layer.position(view.period)
    chosen = selected(settings, atlas, view)
    found = search(atlas, view.q)
    values = atlas.values(layer, period)
    rows = page_of(
        atlas, layer, values, _rows(atlas, chosen, found), chosen.codes, view.sort, int(view.page)
    )
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
        n_missing=layer.missing[period],
        chosen=_named(atlas, chosen),
        found=found,
        table=rows,
        state=query(view).lstrip("?"),
        map=_map(atlas, layer, period, chosen),
        attribution=atlas.manifest["attribution"],
        no_map=vendor_files.NO_MAP,
        hashes=vendor_files.hashes(),
        compare=any(address == "/compare" for _, address in request.app.state.nav),
    )


def _rows(atlas: Atlas, chosen: Selection, found: Found) -> list[int]:
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


def _map(atlas: Atlas, layer: Layer, period: int, chosen: Selection) -> dict[str, str] | None:
    """Return what the map's script reads, as text; None where there is no map."""
    if not atlas.has_map or not vendor_files.hashes():
        return None
    file = f"values/{layer.key}.{period}.json.gz"
    return {
        "tiles": tiles_address(atlas.key, atlas.version("areas.pmtiles")),
        "values": values_address(atlas.key, layer.key, period, atlas.version(file)),
        "breaks": json.dumps(layer.breaks),
        "bounds": json.dumps(_bounds(atlas, chosen)),
        "whole": json.dumps(atlas.manifest["bounds"]),
        "chosen": json.dumps(chosen.codes),
        "ring": json.dumps(chosen.shape),
    }


def _bounds(atlas: Atlas, chosen: Selection) -> list[float]:
    """Return west, south, east, north of what is chosen, with room around it; else of all."""
    if not chosen.codes:
        return [float(edge) for edge in atlas.manifest["bounds"]]
    where = [atlas.position[code] for code in chosen.codes]
    lon, lat = atlas.table["lon"][where], atlas.table["lat"][where]
    room = 0.012
    return [
        float(lon.min()) - room * 1.6,
        float(lat.min()) - room,
        float(lon.max()) + room * 1.6,
        float(lat.max()) + room,
    ]


def _twin(
    atlas: Atlas, layer: Layer, period: int, chosen: Selection, found: Found, view: FindView
) -> dict[str, Any]:
    values = atlas.values(layer, period)

    def area(i: int) -> dict[str, Any]:
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
    async with request.form(max_files=0, max_fields=20) as form:
        view = parse(FindView, parse_qsl(_text(form, "view"), keep_blank_values=True))
        settings = settings_of(request)
        atlas = find_atlas(settings, view.base)
        chosen = set(selected(settings, atlas, view).codes)
        ring: tuple[tuple[float, float], ...] = ()
        if "add" in form:
            chosen |= _of_key(atlas, _text(form, "add"))
        elif "remove" in form:
            chosen -= {_text(form, "remove")}
        elif "toggle" in form:
            chosen ^= _of_key(atlas, _text(form, "toggle"))
        elif "clear" in form:
            chosen = set()
        elif "codes" in form:
            chosen |= _pasted(atlas, _text(form, "codes"))
        elif "near" in form:
            chosen |= _near(atlas, _text(form, "near"), _text(form, "km"))
        elif "shape" in form:
            ring = _ring(_text(form, "shape"))
            chosen = _codes(atlas, _inside(atlas, ring))
        else:
            raise Refusal(422, "Nothing was asked for.", "Use the buttons of the Find page.")
    kept = keep(settings, chosen, ring)
    return RedirectResponse(f"/find{query(view, areas=kept.areas, set=kept.set, page='1')}", 303)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _codes(atlas: Atlas, positions: Iterable[int]) -> set[str]:
    return {str(atlas.table["code"][i]) for i in positions}


def _of_key(atlas: Atlas, key: str) -> set[str]:
    """Return the areas that a button means: one code, or all of a ward or council area."""
    place = find_key(atlas, key)
    if place is not None:
        return _codes(atlas, place.positions)
    atlas.require([key])
    return {key}


def _pasted(atlas: Atlas, text: str) -> set[str]:
    """Return the areas of pasted codes and postcodes; refuse where one of them is neither."""
    if len(text) > limits.PASTED_LETTERS:
        raise Refusal(422, f"{len(text):,} letters are too many.", "Paste a shorter list.", "codes")
    given = [t for t in re.split(r"[,;\t\r\n\"]+", text) if t.strip()]
    if len(given) == 1:
        given = given[0].split()
    if len(given) > limits.PASTED_CODES:
        raise Refusal(
            422,
            f"{len(given):,} codes are too many.",
            f"Paste at most {limits.PASTED_CODES:,}.",
            "codes",
        )
    found, unknown = set(), []
    for item in (t.strip() for t in given):
        postcode = atlas.postcodes.get(re.sub(r"\s+", "", item).upper())
        if item.upper() in atlas.position:
            found.add(item.upper())
        elif item in atlas.position:
            found.add(item)
        elif postcode is not None:
            found |= _codes(atlas, [postcode])
        else:
            unknown.append(item)
    if unknown or not found:
        some = ", ".join(u[:20] for u in unknown[:3]) or "an empty list"
        raise Refusal(
            422,
            f"{len(unknown)} of {len(given)} are no codes of this atlas: {some}. "
            "Nothing was added.",
            "Codes of another census name other areas. Take them out, or choose another atlas.",
            "codes",
        )
    return found


def _near(atlas: Atlas, text: str, km: str) -> set[str]:
    """Return the areas within some kilometres of the first place that a text finds."""
    try:
        radius = float(km)
    except ValueError:
        radius = math.nan
    if not 0 < radius <= limits.RADIUS_KM:
        raise Refusal(
            422, "That is no distance.", f"Give kilometres up to {limits.RADIUS_KM:g}.", "km"
        )
    if "x" not in atlas.table:
        raise Refusal(422, "This atlas has no map, so nothing in it is near anything.")
    found = search(atlas, text[: limits.SEARCH_LETTERS])
    if not found.places:
        raise Refusal(422, f"'{text[:40]}' is not found.", found.hint, "near")
    x, y = atlas.table["x"], atlas.table["y"]
    middle = list(found.places[0].positions)
    nearest = middle[0]
    if len(middle) > 1:  # of a ward or council area: the area nearest its middle
        away = (x[middle] - x[middle].mean()) ** 2 + (y[middle] - y[middle].mean()) ** 2
        nearest = middle[int(away.argmin())]
    return _codes(atlas, within(x, y, nearest, radius))


def _ring(text: str) -> tuple[tuple[float, float], ...]:
    """Return a drawn ring; refuse one that is too long, in parts, or not of numbers."""
    try:
        given = json.loads(text)
        ring = tuple((float(x), float(y)) for x, y in given)
    except (ValueError, TypeError, RecursionError):
        raise Refusal(
            422, "This is not one ring of corners.", "Draw one shape, in one part.", "shape"
        ) from None
    if len(ring) > limits.POLYGON_VERTICES + 1:
        raise Refusal(
            422,
            f"The shape has {len(ring)} corners.",
            f"Draw it with at most {limits.POLYGON_VERTICES}.",
            "shape",
        )
    if len(set(ring)) < LEAST_CORNERS or not all(map(math.isfinite, sum(ring, ()))):
        raise Refusal(422, "The shape is no area.", "Draw at least three corners.", "shape")
    return ring


def _inside(atlas: Atlas, ring: tuple[tuple[float, float], ...]) -> list[int]:
    if "lon" not in atlas.table:
        raise Refusal(422, "This atlas has no map to draw on.", "Search by name.", "shape")
    found = [int(i) for i in inside(atlas.table["lon"], atlas.table["lat"], ring)]
    if not found:
        raise Refusal(
            422,
            "No area has its middle inside the shape.",
            "Draw it larger, or click the area.",
            "shape",
        )
    return found

"""Ways to choose areas: a button, pasted codes, a distance, a drawn shape, an uploaded file."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

from areaeffect.atlas.select import inside, within
from areaeffect.web import limits
from areaeffect.web.refusals import Refusal
from areaeffect.web.search import find_key, search

if TYPE_CHECKING:
    from collections.abc import Iterable

    from areaeffect.web.atlas import Atlas

Ring = tuple[tuple[float, float], ...]
LEAST_CORNERS = 3
EAST, NORTH = 180.0, 90.0  # degrees


def codes(atlas: Atlas, positions: Iterable[int]) -> set[str]:
    """Return the codes of the areas at some positions."""
    return {str(atlas.table["code"][i]) for i in positions}


def of_key(atlas: Atlas, key: str) -> set[str]:
    """Return the areas that a button means: one code, or all of a ward or council area."""
    place = find_key(atlas, key)
    if place is not None:
        return codes(atlas, place.positions)
    atlas.require([key])
    return {key}


def pasted(atlas: Atlas, text: str) -> set[str]:
    """Return the areas of pasted codes and postcodes; refuse where one of them is neither."""
    if len(text) > limits.PASTED_LETTERS:
        raise Refusal(422, f"{len(text):,} letters are too many.", "Paste a shorter list.", "codes")
    given = [t for t in re.split(r"[,;\t\r\n\"]+", text) if t.strip()]
    if len(given) == 1 and atlas.of_postcode(given[0]) is None:
        given = given[0].split()
    if len(given) > limits.PASTED_CODES:
        raise Refusal(
            422, f"{len(given):,} codes are too many.", f"Paste at most {limits.PASTED_CODES:,}.", "codes"
        )
    found, unknown = set(), []
    for item in (t.strip() for t in given):
        postcode = atlas.of_postcode(item)
        if item.upper() in atlas.position:
            found.add(item.upper())
        elif item in atlas.position:
            found.add(item)
        elif postcode is not None:
            found |= codes(atlas, [postcode])
        else:
            unknown.append(item)
    if unknown or not found:
        some = ", ".join(u[:20] for u in unknown[:3]) or "an empty list"
        raise Refusal(
            422,
            f"{len(unknown)} of {len(given)} are not codes of this atlas: {some}. Nothing was added.",
            "Codes of another census name other areas. Take them out, or choose another atlas.",
            "codes",
        )
    return found


def near(atlas: Atlas, text: str, km: str) -> set[str]:
    """Return the areas within some kilometres of the first place that a text finds."""
    try:
        radius = float(km)
    except ValueError:
        radius = math.nan
    if not 0 < radius <= limits.RADIUS_KM:
        raise Refusal(422, "That is not a distance.", f"Give kilometres up to {limits.RADIUS_KM:g}.", "km")
    if "x" not in atlas.table:
        raise Refusal(422, "This atlas has no map, so distances are not known.")
    found = search(atlas, text[: limits.SEARCH_LETTERS])
    if not found.places:
        raise Refusal(422, f"'{text[:40]}' is not found.", found.hint, "near")
    x, y = atlas.table["x"], atlas.table["y"]
    middle = list(found.places[0].positions)
    nearest = middle[0]
    if len(middle) > 1:  # of a ward or council area: the area nearest its middle
        away = (x[middle] - x[middle].mean()) ** 2 + (y[middle] - y[middle].mean()) ** 2
        nearest = middle[int(away.argmin())]
    return codes(atlas, within(x, y, nearest, radius))


def ring(text: str) -> Ring:
    """Return a drawn ring; refuse one that is too long, in parts, or not of numbers."""
    try:
        given = json.loads(text)
        corners = tuple((float(x), float(y)) for x, y in given)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Refusal(
            422, "This is not one closed outline.", "Draw one shape, in one part.", "shape"
        ) from None
    if len(corners) > limits.POLYGON_VERTICES + 1:
        raise Refusal(
            422,
            f"The shape has {len(corners)} corners.",
            f"Draw it with at most {limits.POLYGON_VERTICES}.",
            "shape",
        )
    if len(set(corners)) < LEAST_CORNERS:
        raise Refusal(422, "The shape is not an area.", "Draw at least three corners.", "shape")
    if not all(abs(x) <= EAST and abs(y) <= NORTH for x, y in corners):
        raise Refusal(
            422,
            "The coordinates of the shape are outside the possible range.",
            "Give longitude, latitude.",
            "shape",
        )
    return corners


def drawn(atlas: Atlas, ring: Ring) -> set[str]:
    """Return the areas whose middle lies inside a drawn ring; refuse where there is none."""
    if "lon" not in atlas.table:
        raise Refusal(422, "This atlas has no map to draw on.", "Search by name.", "shape")
    found = [int(i) for i in inside(atlas.table["lon"], atlas.table["lat"], ring)]
    if not found:
        raise Refusal(
            422, "No area has its middle inside the shape.", "Draw it larger, or click the area.", "shape"
        )
    return codes(atlas, found)

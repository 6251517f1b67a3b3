"""Maps of one neighbourhood: its own areas close by, and where its benchmark areas are."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from areaeffect.document import maps, svg
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.maps import (
    CROWDED,
    TREATED_PATTERNS,
    WIDTH,
    Frame,
    MapClass,
    Points,
    ring_path,
    treated_classes,
    words,
)
from areaeffect.results import AreaStatus, Floats, Result, Shape
from areaeffect.wording.numbers import PHRASES, phrase

BACKDROP_BYTES = 60_000  # a page for each of 400 neighbourhoods repeats it
GRIDS = (8, 16, 32)  # in tenths of a unit, that its corners are rounded to
MARGIN_SHARE = 0.35  # of its size that is shown around a neighbourhood
SEA, LAND, EDGE = "#FFFFFF", "#F3F2F1", "#BFBFBF"
PIN = 24
_APART = 1.9  # radii between pins that both show their number


@dataclass(frozen=True, eq=False)
class Outlines:
    """The outlines of all areas, with what every page of a report needs of them."""

    shapes: tuple[Shape, ...]  # in metres, y pointing north; areas without a ring are left out.
    attribution: str  # what their licence asks for

    @cached_property
    def number(self) -> dict[str, int]:
        """The place of each area in `shapes`."""
        return {shape.area: i for i, shape in enumerate(self.shapes)}

    @cached_property
    def bounds(self) -> Floats:
        """West, south, east and north of each area, (n, 4)."""
        rings = [np.concatenate(shape.rings) for shape in self.shapes]
        return np.array([[*points.min(axis=0), *points.max(axis=0)] for points in rings])

    @cached_property
    def frame(self) -> Frame:
        """The frame of the map of all areas."""
        return Frame.around(self.shapes)

    @cached_property
    def backdrop(self) -> str:
        """All areas as one pale path, coarse enough to be repeated.

        Where the outlines of all areas would be too long, the outline of all of them together
        stands for them: no area is left out.
        """
        for grid in GRIDS:
            drawn = _joined(self._paths(grid), BACKDROP_BYTES)
            if drawn is not None:
                return drawn
        return self._land(GRIDS[-1])

    def _paths(self, grid: int) -> Iterator[str]:
        return (ring_path(self.frame.tenths(ring), grid) for s in self.shapes for ring in s.rings)

    def _land(self, grid: int) -> str:
        """Return the outline of all areas together, on the finest grid from this one on that fits."""
        import shapely

        rings = [self.frame.tenths(ring) for s in self.shapes for ring in s.rings]
        filled = [
            shapely.Polygon(snapped) if np.ptp(snapped := _snapped(ring, grid), axis=0).all() else None
            for ring in rings
        ]
        cells = [
            shapely.box(*(ring.min(axis=0) // grid * grid), *(-(-ring.max(axis=0) // grid) * grid))
            for ring, own in zip(rings, filled, strict=True)
            if own is None
        ]
        land = shapely.union_all([*shapely.make_valid([p for p in filled if p]), *cells], grid_size=grid)
        outlines = [
            shapely.get_coordinates(part.exterior)
            for part in shapely.get_parts(land)
            if part.geom_type == "Polygon"
        ]
        drawn = "".join(ring_path(ring.astype(np.int64), grid) for ring in outlines)
        return drawn if len(drawn) <= BACKDROP_BYTES else self._land(2 * grid)

    def centre(self, area: str) -> tuple[float, float]:
        """Return the middle of an area's bounds on the map of all areas, in its units."""
        west, south, east, north = self.bounds[self.number[area]]
        x, y = self.frame.tenths(np.array([[(west + east) / 2, (south + north) / 2]]))[0] / 10
        return float(x), float(y)


def _snapped(ring: Points, grid: int) -> Points:
    return (ring + grid // 2) // grid * grid


def _joined(parts: Iterable[str], most: int) -> str | None:
    """Join parts; None as soon as they are longer than is wanted."""
    taken, length = [], 0
    for part in parts:
        length += len(part)
        if length > most:
            return None
        taken.append(part)
    return "".join(taken)


def own_map(outlines: Outlines, own: Sequence[str], *, key: str, title: str) -> str:
    """Draw the areas of a neighbourhood with what lies around them; empty without outlines."""
    inside = [outlines.number[area] for area in own if area in outlines.number]
    if not inside:
        return ""
    west, south = outlines.bounds[inside, :2].min(axis=0)
    east, north = outlines.bounds[inside, 2:].max(axis=0)
    room = MARGIN_SHARE * max(east - west, north - south)
    view = np.array([west - room, south - room, east + room, north + room])
    near = (outlines.bounds[:, :2] <= view[2:]).all(axis=1)
    near &= (outlines.bounds[:, 2:] >= view[:2]).all(axis=1)
    frame = Frame.of(*view)
    paths = {True: "", False: ""}
    for i in np.flatnonzero(near):
        for ring in outlines.shapes[i].rings:
            paths[int(i) in inside] += ring_path(frame.tenths(ring), 1)
    clip = f'<clipPath id="{key}-clip"><rect width="{WIDTH}" height="{frame.height:.0f}"/></clipPath>'
    body = [
        f'<defs>{clip}</defs><g clip-path="url(#{key}-clip)"><g transform="scale(.1)">',
        f'<path fill="{LAND}" stroke="{EDGE}" stroke-width="15" d="{paths[False]}"/>',
        f'<path fill="{svg.ORANGE}" stroke="{svg.TEXT}" stroke-width="25" d="{paths[True]}"/>',
        "</g></g>",
        *maps.scale_bar(frame),
    ]
    said = phrase("map.areas_neighbourhood", n=len(inside))
    return _finish(body, frame, outlines.attribution, (key, title, said))


def benchmark_map(
    outlines: Outlines,
    own: Sequence[str],
    benchmark: Sequence[str],
    *,
    key: str,
    title: str,
    names: Mapping[str, frozenset[str]] | None = None,
) -> str:
    """Draw a neighbourhood and its benchmark areas as numbered pins; empty without outlines.

    `names` are those of councils, each with its areas, the most important first.
    """
    here = [area for area in own if area in outlines.number]
    pins = [(str(i), a) for i, a in enumerate(benchmark, 1) if a in outlines.number]
    if not here:
        return ""
    frame = outlines.frame
    body = [
        '<g transform="scale(.1)">'
        f'<path fill="{LAND}" stroke="{EDGE}" stroke-width="6" d="{outlines.backdrop}"/></g>'
    ]
    places = [outlines.centre(area) for _, area in pins]
    marked = [*places, np.mean([outlines.centre(area) for area in here], axis=0)]
    boxes = [(float(x) - PIN, float(y) - PIN, float(x) + PIN, float(y) + PIN) for x, y in marked]
    body += maps.labels(outlines.shapes, frame, names or {}, boxes)
    for i, (text, _) in reversed(list(enumerate(pins))):
        x, y = places[i]
        covered = any(math.dist(places[i], other) < _APART * PIN for other in places[:i])
        body.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{PIN}" fill="{svg.BLUE}" stroke="#FFFFFF"/>')
        if covered:  # a pin that counts more lies over it; the list has its number
            continue
        body.append(
            f'<text x="{x:.0f}" y="{y + 10:.0f}" font-size="29" font-weight="bold" '
            f'text-anchor="middle" fill="#FFFFFF">{text}</text>'
        )
    x, y = np.mean([outlines.centre(area) for area in here], axis=0)
    body.append(
        f'<path d="M{x:.0f} {y - 36:.0f}l33 60h-66z" fill="{svg.ORANGE}" stroke="{svg.TEXT}" '
        'stroke-width="4"/>'
    )
    body += maps.scale_bar(frame)
    foot = frame.height + 78
    body.append(
        f'<path d="M20 {foot - 22:.0f}l14 25h-28z" fill="{svg.ORANGE}" stroke="{svg.TEXT}" stroke-width="2"/>'
    )
    body.append(words(44, foot, "this place"))
    body.append(f'<circle cx="230" cy="{foot - 10:.0f}" r="14" fill="{svg.BLUE}"/>')
    body.append(words(252, foot, "benchmark area, numbered as in the list"))
    said = phrase("map.place_benchmark", n=len(pins))
    return _finish(body, frame, outlines.attribution, (key, title, said))


def _finish(body: Sequence[str], frame: Frame, attribution: str, names: tuple[str, str, str]) -> str:
    lines, bottom = maps.credit_lines(attribution, frame.height + 78)
    lines = [*body, *lines]
    return svg.accessible("\n".join(lines), f"0 0 {WIDTH} {bottom + 16:g}", *names)


BENCHMARK_FILL, OUTSIDE_FILL, OUTSIDE_LINE = "#8FBCE6", "#F3F2F1", "#D5D8DB"
MOST_NEIGHBOURHOODS = 12  # named on the map; with more, names would hide what is drawn
_NUMBERED = re.compile(r"^(.*\D)\s+\d{3}[A-Z]{0,2}$")  # 'Hackney 027G', 'Hackney 027'


def district(area: AreaStatus) -> str:
    """Return the council in an area's name, as the census writes names; empty where it has none."""
    found = _NUMBERED.match(area.name)
    return found[1] if found else ""


def where(treated: Sequence[AreaStatus], most: int) -> str:
    """Name the councils of the treated areas, or the neighbourhoods where names say no council."""
    names = Counter(d for a in treated if (d := district(a)))
    names = names or Counter(a.neighbourhood for a in treated if a.neighbourhood)
    ordered = sorted(names, key=lambda name: (-names[name], name))
    rest = len(ordered) - most
    return ", ".join(ordered[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def named_map(result: Result) -> Figure | None:
    """Draw treated and benchmark areas with the names of places; None without outlines."""
    treated: dict[str, set[str]] = defaultdict(set)
    benchmark: set[str] = set()
    others: set[str] = set()
    for area in result.areas:
        if area.role == "treated":
            treated[area.initiative or "treated"].add(area.area)
        else:
            (benchmark if area.role == "benchmark" else others).add(area.area)
    here = set().union(*treated.values())
    classes = [
        MapClass(OUTSIDE_FILL, "other areas", frozenset(others - benchmark - here), OUTSIDE_LINE),
        MapClass(BENCHMARK_FILL, "benchmark areas", frozenset(benchmark - here), BENCHMARK_FILL),
        *(_plain(c, crowded=len(result.shapes) > CROWDED) for c in treated_classes(treated)),
    ]
    title = PHRASES["summary.map"]
    credit = maps.credit(result.releases)
    chart = maps.draw_map(
        result.shapes,
        classes,
        key="summary-map",
        title=title,
        attribution="" if len(credit) > 2 * maps.ATTRIBUTION_LETTERS else credit,
        names=_names(result.areas),
    )
    if not chart:
        return None
    rows = tuple((c.text, f"{len(c.areas):,}") for c in reversed(classes) if c.areas)
    table = Table("Areas on the map", ("Part", "Areas"), rows, frozenset({1}))
    return Figure(chart=chart, title=title, table=table, data="areas", name="summary-map")


def _plain(kind: MapClass, *, crowded: bool) -> MapClass:
    """Return a class in its plain colour: on a map as small as this, marks would be all one sees."""
    fill = next((ground for name, ground, *_ in TREATED_PATTERNS if kind.fill == f"@{name}"), kind.fill)
    return replace(kind, fill=fill, outline=fill if crowded else kind.outline)


def council_names(areas: Sequence[AreaStatus]) -> dict[str, frozenset[str]]:
    """Return the areas of each council, those with treated areas first; empty where no name says it."""
    own: dict[str, set[str]] = defaultdict(set)
    at_work: Counter[str] = Counter()
    for area in areas:
        name = district(area)
        if name:
            own[name].add(area.area)
            at_work[name] += area.role == "treated"
    return {
        name: frozenset(own[name])
        for name in sorted(own, key=lambda name: (-at_work[name], -len(own[name]), name))
    }


def _names(areas: Sequence[AreaStatus]) -> dict[str, frozenset[str]]:
    """Return the areas of each council, else of the largest neighbourhoods."""
    own: dict[str, set[str]] = defaultdict(set)
    for area in areas:
        if area.role == "treated" and area.neighbourhood:
            own[area.neighbourhood].add(area.area)
    largest = sorted(own, key=lambda name: (-len(own[name]), name))[:MOST_NEIGHBOURHOODS]
    return council_names(areas) or {name: frozenset(own[name]) for name in largest}

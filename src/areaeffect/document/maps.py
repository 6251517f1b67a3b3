"""A still map of the areas, and its classes: who is treated, who is a benchmark area, who not."""

from __future__ import annotations

import math
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from areaeffect.document import svg
from areaeffect.document.svg import with_halo
from areaeffect.results import AreaStatus, Floats, Release, Shape

Points = npt.NDArray[np.int64]

WIDTH = 1000  # units of the viewBox; coordinates are rounded to a tenth of one
MAX_HEIGHT = 1150
MAX_BYTES = 300_000
COARSEST_GRID = 64  # tenths of a unit
DOT = 9  # side of the square for an area too small to draw, tenths of a unit
MARGIN = 6
SAMPLED = 400  # areas by which the grid of a large map is guessed
LETTERS = 30.0  # size of words: a map is read on a phone, at a third of its units
CROWDED = 1500  # with more areas, outlines would hide what is inside them
ATTRIBUTION_LETTERS, KEY_LETTERS = 68, 52  # on one line
NO_PLACE = frozenset({"GDP deflator"})  # sources whose credit a map does not owe


def map_svg(
    shapes: Sequence[Shape], areas: Sequence[AreaStatus], *, key: str, title: str, attribution: str = ""
) -> str:
    """Draw the map; empty text where there are no outlines.

    Parameters
    ----------
    shapes : outlines in metres, y pointing north.
    areas : the part each area plays.
    key : prefix of ids.
    title : text alternative.
    attribution : line the licence of the outlines asks for.
    """
    return draw_map(shapes, classes(areas), key=key, title=title, attribution=attribution)


def draw_map(
    shapes: Sequence[Shape],
    drawn: Sequence[MapClass],
    *,
    key: str,
    title: str,
    attribution: str = "",
    names: Mapping[str, frozenset[str]] | None = None,
) -> str:
    """Draw classes of areas, the first at the bottom; empty text where there are no outlines.

    Parameters
    ----------
    names : places to name, the most important first, each with its areas; a name that would
        overlap an earlier one is left out.
    """
    if not shapes or not any(len(ring) for shape in shapes for ring in shape.rings):
        return ""
    frame = Frame.around(shapes)
    limit = max(MAX_BYTES, 20 * len(shapes)) - 8_000  # what is not a path
    grid = _first_grid(shapes, drawn, frame, limit)
    paths = _paths(shapes, drawn, frame, grid)
    while sum(map(len, paths)) > limit and grid < COARSEST_GRID:
        grid *= 2
        paths = _paths(shapes, drawn, frame, grid)
    body = [_patterns(key), '<g transform="scale(.1)">']
    for kind, path in zip(drawn, paths, strict=True):
        if path:
            look = _look(kind, key, crowded=len(shapes) > CROWDED)
            body.append(f'<path {look} fill-rule="evenodd" d="{path}"/>')
    body.append("</g>")
    shown = [kind for kind in drawn if kind.areas]
    body += labels(shapes, frame, names or {})
    body += scale_bar(frame)
    key_lines, bottom = _key(shown, frame.height + 80, key)
    body += key_lines
    credited, bottom = credit_lines(attribution, bottom)
    body += credited
    counts = "; ".join(f"{kind.text}: {len(kind.areas):,} areas" for kind in reversed(shown))
    text = "\n".join(body)
    return svg.accessible(text, f"0 0 {WIDTH} {bottom + 16:g}", key, title, f"North is up. {counts}.")


@dataclass(frozen=True, slots=True)
class Frame:
    """From metres to tenths of a unit of the viewBox."""

    west: float
    north: float
    scale: float  # units a metre
    height: float

    @classmethod
    def around(cls, shapes: Sequence[Shape]) -> Frame:
        """Return the frame that holds all outlines."""
        points = np.concatenate([ring for shape in shapes for ring in shape.rings if len(ring)])
        return cls.of(*points.min(axis=0), *points.max(axis=0))

    @classmethod
    def of(cls, west: float, south: float, east: float, north: float) -> Frame:
        """Return the frame of a rectangle in metres."""
        inner = WIDTH - 2 * MARGIN
        scale = min(inner / max(east - west, 1.0), MAX_HEIGHT / max(north - south, 1.0))
        west -= (inner / scale - (east - west)) / 2
        height = float((north - south) * scale + 2 * MARGIN)
        return cls(float(west), float(north), float(scale), height)

    def tenths(self, ring: Floats) -> Points:
        """Return ring points as whole tenths of a unit, y downwards."""
        x = (ring[:, 0] - self.west) * self.scale + MARGIN
        y = (self.north - ring[:, 1]) * self.scale + MARGIN
        return np.rint(np.column_stack([x, y]) * 10).astype(np.int64)


def _first_grid(shapes: Sequence[Shape], drawn: Sequence[MapClass], frame: Frame, limit: int) -> int:
    """Return the finest grid at which a sample of the areas says that all may fit."""
    every = max(1, len(shapes) // SAMPLED)
    share = len(shapes[::every]) / len(shapes)
    grid = 1
    while every > 1 and grid < COARSEST_GRID:
        size = sum(map(len, _paths(shapes[::every], drawn, frame, grid)))
        if size <= 1.2 * share * limit:  # near enough: drawn in full, and judged by that
            break
        grid *= 2
    return grid


def _paths(shapes: Sequence[Shape], drawn: Sequence[MapClass], frame: Frame, grid: int) -> list[str]:
    by_area = {shape.area: shape for shape in shapes}
    return [
        "".join(
            ring_path(frame.tenths(ring), grid)
            for code in sorted(kind.areas & by_area.keys())
            for ring in by_area[code].rings
            if len(ring)
        )
        for kind in drawn
    ]


def ring_path(points: Points, grid: int) -> str:
    """Write one ring, its points drawn to a grid: shared borders stay shared."""
    snapped = (points + grid // 2) // grid * grid
    step = np.diff(snapped, axis=0)
    keep = np.concatenate([[True], step.any(axis=1)])
    snapped = _without_straight(snapped[keep])
    if len(set(map(tuple, snapped.tolist()))) < 3:  # noqa: PLR2004  # a polygon has three corners
        x, y = points.mean(axis=0).round().astype(int) - DOT // 2
        return f"M{x} {y}h{DOT}v{DOT}h-{DOT}z"
    steps = np.diff(snapped, axis=0)
    if not (snapped[0] - snapped[-1]).any():
        steps = steps[:-1]
    moves = "".join(
        f"{' ' if i and dx >= 0 else ''}{dx}{'' if dy < 0 else ' '}{dy}"
        for i, (dx, dy) in enumerate(steps.tolist())
    )
    return f"M{snapped[0, 0]} {snapped[0, 1]}l{moves}z"


def _without_straight(points: Points) -> Points:
    """Drop points on a straight line between their neighbours."""
    if len(points) < 4:  # noqa: PLR2004  # nothing to drop in a triangle
        return points
    a, b = np.diff(points[:-1], axis=0), np.diff(points[1:], axis=0)
    turn = a[:, 0] * b[:, 1] != a[:, 1] * b[:, 0]
    kept: Points = points[np.concatenate([[True], turn, [True]])]
    return kept


def _look(kind: MapClass, key: str, *, crowded: bool) -> str:
    """Return fill and outline; on a crowded map only treated areas keep a (thin) outline."""
    pattern = kind.fill.startswith("@")
    fill = f"url(#{key}-{kind.fill[1:]})" if pattern else kind.fill
    outline, width = kind.outline, kind.width
    if crowded and outline == svg.TEXT:
        width = 2.0
    elif crowded and fill != WHITE and not pattern:
        outline, width = kind.fill, 4.0  # covers the slits between simplified outlines
    return f'fill="{fill}" stroke="{outline}" stroke-width="{width:g}"'


def _patterns(key: str) -> str:
    def pattern(name: str, size: int, mark: str, ground: str = "#F3F2F1", ink: str = "#767676") -> str:
        return (
            f'<pattern id="{key}-{name}" width="{size}" height="{size}" '
            f'patternUnits="userSpaceOnUse"><rect width="{size}" height="{size}" fill="{ground}"/>'
            f'<g stroke="{ink}" stroke-width="7" fill="{ink}">{mark}</g></pattern>'
        )

    lines = '<path d="M0 60L60 0M-15 15L15 -15M45 75L75 45"/>'
    dots = '<circle cx="30" cy="30" r="8" stroke="none"/>'
    marks = {"lines": lines, "dots": dots.replace('r="8"', 'r="12"')}
    return (
        "<defs>"
        + pattern("hatch", 60, lines)
        + pattern("back", 60, '<path d="M0 0L60 60M-15 45L15 75M45 -15L75 15"/>')
        + pattern("dots", 60, dots)
        + pattern("cross", 70, '<path d="M0 35H70M35 0V70" fill="none"/>')
        + "".join(pattern(name, 60, marks[mark], ground, ink) for name, ground, ink, mark in TREATED_PATTERNS)
        + "</defs>"
    )


def _key(shown: Sequence[MapClass], top: float, key: str) -> tuple[list[str], float]:
    made, y = [], top
    for kind in reversed(shown):
        fill = f"url(#{key}-{kind.fill[1:]})" if kind.fill.startswith("@") else kind.fill
        box = f'<rect width="300" height="200" fill="{fill}" stroke="#505A5F" stroke-width="10"/>'
        made.append(f'<g transform="translate(4 {y - 20:g}) scale(.1)">{box}</g>')
        for i, line in enumerate(textwrap.wrap(f"{kind.text} ({len(kind.areas):,})", KEY_LETTERS)):
            y += 1.2 * LETTERS if i else 0.0
            made.append(words(42, y, line))
        y += 1.5 * LETTERS
    return made, y - 1.5 * LETTERS


def credit(releases: Iterable[Release]) -> str:
    """Return what the licences of a study's data ask a map to say."""
    lines = (r.attribution for r in releases if r.attribution and r.source not in NO_PLACE)
    return " ".join(dict.fromkeys(lines))


def credit_lines(attribution: str, bottom: float) -> tuple[list[str], float]:
    """Write an attribution below a place, and return where it ends."""
    made = []
    for i, line in enumerate(textwrap.wrap(attribution, ATTRIBUTION_LETTERS)):
        bottom += (1.3 if i else 1.9) * 0.88 * LETTERS
        made.append(words(4, bottom, line, size=0.88 * LETTERS))
    return made, bottom


def labels(
    shapes: Sequence[Shape],
    frame: Frame,
    names: Mapping[str, frozenset[str]],
    taken_by: Sequence[tuple[float, float, float, float]] = (),
) -> list[str]:
    """Write names at the middle of their areas, the first first, none over another.

    Nor over what is drawn in the boxes of `taken_by`: left, top, right and bottom of each.
    """
    corners = {s.area: np.concatenate(s.rings).mean(axis=0) for s in shapes if s.rings}
    made: list[str] = []
    taken = list(taken_by)
    for name, areas in names.items():
        own = [corners[area] for area in sorted(areas) if area in corners]
        if not own:
            continue
        x, y = frame.tenths(np.mean(own, axis=0, keepdims=True))[0] / 10
        half = 0.35 * LETTERS * len(name)
        x = min(max(float(x), half), WIDTH - half)
        box = (x - half, float(y) - LETTERS, x + half, float(y) + 0.4 * LETTERS)
        if half > WIDTH / 2 or any(_overlap(box, other) for other in taken):
            continue
        taken.append(box)
        text = words(x, float(y), name, anchor="middle")
        made.append(with_halo(text.replace("<text ", '<text font-weight="bold" ', 1), 7))
    return made


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def scale_bar(frame: Frame) -> list[str]:
    """Draw a bar of a round length, with its length and the direction of north."""
    metres = 10 ** math.floor(math.log10(WIDTH / 4 / frame.scale))
    metres *= next(m for m in (5, 2, 1) if metres * m * frame.scale <= WIDTH / 4)
    length, y = metres * frame.scale, frame.height + 32
    name = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"  # noqa: PLR2004
    return [
        f'<path d="M{WIDTH - 10 - length:.1f} {y - 8:g}v8h{length:.1f}v-8" '
        f'fill="none" stroke="{svg.TEXT}" stroke-width="2"/>',
        words(WIDTH - 16 - length, y, f"{name}; north is up", anchor="end"),
    ]


def words(x: float, y: float, text: str, *, size: float = LETTERS, anchor: str = "start") -> str:
    """Write words in the units of the map."""
    look = f'font-size="{size:g}" text-anchor="{anchor}" fill="{svg.TEXT}"'
    return f'<text x="{x:g}" y="{y:g}" {look}>{escape(text)}</text>'


REASONS_NAMED = 3
WHITE = "#FFFFFF"
#: Patterns, so that no initiative looks like a weight in greyscale: name, ground, ink, mark.
TREATED_PATTERNS = (
    ("first", svg.ORANGE, svg.TEXT, "lines"),
    ("second", svg.PLUM, WHITE, "lines"),
    ("third", svg.TEAL, WHITE, "dots"),
    ("fourth", svg.LILAC, svg.TEXT, "dots"),
)
TREATED_FILLS = tuple(f"@{name}" for name, *_ in TREATED_PATTERNS)
WEIGHT_FILLS = ("#CFE2F3", "#8FBCE6", "#3F7FBF", "#12436D")


@dataclass(frozen=True, slots=True)
class MapClass:
    """One line of the key: how it is filled, what it means and which areas are in it."""

    fill: str
    text: str
    areas: frozenset[str]
    outline: str = WHITE
    width: float = 2.0


@dataclass(frozen=True, slots=True)
class StatusRow:
    """How many areas play one part, for one reason."""

    role: str
    initiative: str
    reason: str
    areas: int


def status_rows(areas: Iterable[AreaStatus]) -> list[StatusRow]:
    """Count areas by role and reason: the map as a table."""
    count = Counter((a.role, a.reason, a.initiative if a.role == "treated" else "") for a in areas)
    rows = [StatusRow(role, initiative, reason, n) for (role, reason, initiative), n in count.items()]
    order = {"treated": 0, "benchmark": 1}
    return sorted(rows, key=lambda r: (order.get(r.role, 2), r.role, r.initiative, -r.areas, r.reason))


def classes(areas: Sequence[AreaStatus]) -> list[MapClass]:
    """Sort areas into the classes of the map, those drawn first (least important) first."""
    groups: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in ("treated", "out", "other")}
    weights: dict[str, float] = defaultdict(float)
    for area in areas:
        if area.role == "treated":
            groups["treated"][area.initiative or "treated"].add(area.area)
        elif area.role == "benchmark":
            weights[area.area] += area.weight
        else:
            out = area.role == "left out"
            groups["out" if out else "other"][(area.reason if out else "") or area.role].add(area.area)
    made = [
        MapClass(WHITE, name, frozenset(codes), "#C8CDD1") for name, codes in sorted(groups["other"].items())
    ]
    made += _left_out(groups["out"])
    made += _by_weight(weights)
    return made + treated_classes(groups["treated"])


def _left_out(reasons: dict[str, set[str]]) -> list[MapClass]:
    ordered = sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    named = ordered if len(ordered) <= REASONS_NAMED + 1 else ordered[:REASONS_NAMED]
    rest = frozenset().union(*(codes for _, codes in ordered[len(named) :]))
    fills = ("@back", "@hatch", "@dots", "@cross")
    made = [
        MapClass(fill, f"left out: {text.replace('_', ' ')}", frozenset(codes))
        for fill, (text, codes) in zip(fills, named, strict=False)
    ]
    return [MapClass("@cross", "left out: other reasons", rest), *made[::-1]] if rest else made[::-1]


def _by_weight(weights: dict[str, float]) -> list[MapClass]:
    if not weights:
        return []
    values = np.array([weights[code] for code in sorted(weights)])
    edges = np.unique(np.quantile(values, [0.25, 0.5, 0.75]).round(6))
    group = np.searchsorted(edges, values.round(6), side="right")
    fills = WEIGHT_FILLS[-(len(edges) + 1) :]
    bounds = [f"{edge:.2f}" for edge in edges]
    made = []
    for i, fill in enumerate(fills):
        low, high = bounds[i - 1] if i else "", bounds[i] if i < len(bounds) else ""
        codes = frozenset(code for code, g in zip(sorted(weights), group, strict=True) if g == i)
        made.append(MapClass(fill, f"benchmark area, {_span(low, high)}", codes, "#4F6F8F"))
    return [kind for kind in made if kind.areas]


def _span(low: str, high: str) -> str:
    if low and high:
        return f"weight {low} to {high}"
    return f"weight {low} and over" if low else f"weight under {high}" if high else "any weight"


def treated_classes(initiatives: Mapping[str, set[str]]) -> list[MapClass]:
    """Return the treated areas as classes, one an initiative as far as patterns go."""
    ordered = sorted(initiatives.items(), key=lambda item: (-len(item[1]), item[0]))
    most = len(TREATED_FILLS)
    named = ordered if len(ordered) <= most else ordered[: most - 1]
    rest = frozenset().union(*(codes for _, codes in ordered[len(named) :]))
    made = [
        MapClass(fill, f"areas of {name}", frozenset(codes), svg.TEXT, 8.0)
        for fill, (name, codes) in zip(TREATED_FILLS, named, strict=False)
    ]
    others = MapClass(TREATED_FILLS[-1], "other initiatives studied", rest, svg.TEXT, 8.0)
    return [others, *made[::-1]] if rest else made[::-1]

"""The classes of a map: who is treated, who is a benchmark area, who was left out and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.document import svg

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from areaeffect.results import AreaStatus

WEIGHT_CLASSES = 4
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
        MapClass(fill, f"initiative: {name}", frozenset(codes), svg.TEXT, 8.0)
        for fill, (name, codes) in zip(TREATED_FILLS, named, strict=False)
    ]
    others = MapClass(TREATED_FILLS[-1], "other initiatives studied", rest, svg.TEXT, 8.0)
    return [others, *made[::-1]] if rest else made[::-1]

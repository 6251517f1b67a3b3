"""The map of the two pages: where the work was, with the names that people use."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from areaeffect.document import maps
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.document.maps import MapClass
from areaeffect.wording.phrases import PHRASES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.results import AreaStatus, Result

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
        *maps.treated_classes(treated),
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


def _names(areas: Sequence[AreaStatus]) -> dict[str, frozenset[str]]:
    """Return the areas of each council, those with treated areas first; else neighbourhoods."""
    own: dict[str, set[str]] = defaultdict(set)
    at_work: Counter[str] = Counter()
    for area in areas:
        name = district(area)
        if name:
            own[name].add(area.area)
            at_work[name] += area.role == "treated"
    if not own:
        for area in areas:
            if area.role == "treated" and area.neighbourhood:
                own[area.neighbourhood].add(area.area)
    most = None if at_work else MOST_NEIGHBOURHOODS
    ordered = sorted(own, key=lambda name: (-at_work[name], -len(own[name]), name))[:most]
    return {name: frozenset(own[name]) for name in ordered}

"""Titles of charts: what each found, in about ten words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from areaeffect.results import Verdict
from areaeffect.wording.numbers import NOT_ESTIMABLE, direction, known, plural, size
from areaeffect.wording.sentences import group_title, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from areaeffect.results import AreaStatus, Finding, PlaceboDraws


def chart_title(finding: Finding) -> str:
    """Return what a chart of this finding shows, in about ten words."""
    label = name_of(finding)
    where = finding.neighbourhood or group_title(finding.group)
    if known(finding.estimate) is None:
        return f"{label}: {NOT_ESTIMABLE}, {where}"
    word = direction(finding.estimate, finding)
    amount = size(finding.estimate, finding, unit=True)
    beside = {
        "level": "in benchmark areas",
        "contrast": "in other initiatives",
    }.get(finding.claim, "expected")
    size_words = (
        f"{amount} {word} than {beside}" if word else f"no higher and no lower than {beside}"
    )
    if finding.verdict is Verdict.CANNOT_TELL:
        return f"{label}: the data cannot tell, {where}"
    if finding.verdict in {Verdict.LITTLE_DIFFERENCE, Verdict.ALIKE}:
        return f"{label}: little difference, {size_words}, {where}"
    return f"{label}: {size_words}, {where}"


def placebo_title(finding: Finding, draws: PlaceboDraws) -> str:
    """Return how many placebo programmes lie at least as far from zero as this finding."""
    own = known(finding.estimate)
    values = [abs(v) for e in draws.estimates if (v := known(e)) is not None]
    label = name_of(finding)
    if own is None:
        return f"{label}: {plural(len(values), 'placebo programme')}"
    as_far = sum(v >= abs(own) for v in values)
    return f"{label}: {as_far:,} of {len(values):,} as far from zero"


def effects_title(group: str, findings: Sequence[Finding]) -> str:
    """Return how many findings of a group have each verdict."""
    count = Counter(f.verdict for f in findings)
    parts = [f"{count[v]} {v}" for v in Verdict if count[v]]
    return f"{group_title(group)}: {', '.join(parts)}"


def balance_title(over: int, characteristics: int, limit: float, claim: str) -> str:
    """Return how many characteristics stay apart after weighting."""
    return (
        f"After weighting {over} of {characteristics} characteristics differ by over {limit:g} "
        f"({claim} claims)"
    )


def map_title(areas: Iterable[AreaStatus]) -> str:
    """Return how many areas are treated, compared with, and neither."""
    count = Counter(area.role for area in areas)
    rest = count.total() - count["treated"] - count["benchmark"]
    treated = plural(count["treated"], "treated area")
    return f"{treated}, {plural(count['benchmark'], 'benchmark area')} and {rest:,} others"

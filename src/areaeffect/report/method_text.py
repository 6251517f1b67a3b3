"""The method annex in words, with the settings of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.document.blocks import Bullets, Paragraph, Section
from areaeffect.document.chart_tables import NONE_GIVEN, Table
from areaeffect.wording import terms

if TYPE_CHECKING:
    from collections.abc import Mapping


def method_parts(plan: Mapping[str, Any]) -> tuple[Section, ...]:
    """Return who may be compared, how they are weighted, estimated, tested and judged."""
    return (
        Section("pool", "Who may be compared", (Paragraph(_pool(plan)),)),
        Section("weights", "How they are weighted", (Paragraph(_WEIGHTS),)),
        Section("estimate", "How an estimate is made", (Paragraph(_ESTIMATE),)),
        Section("placebos", "How sure it is", (Paragraph(_sure(plan)),)),
        Section("verdicts", "How the verdict is reached", tuple(map(Paragraph, _VERDICT))),
        Section(
            "grades",
            "Strength of evidence",
            (Paragraph(_GRADE), Bullets(_grades(), mark="numbered")),
        ),
    )


def _pool(plan: Mapping[str, Any]) -> str:
    nearest = setting(plan, "design", "nearest")
    chosen = "All of them are used."
    if nearest not in {"0", NONE_GIVEN}:
        chosen = (
            f"Of these, the {nearest} nearest to each treated area on scaled characteristics and "
            "on history before the start are kept."
        )
    return (
        "The comparison pool of a neighbourhood holds the areas that are in no initiative of the "
        "register during the window, are further than "
        f"{setting(plan, 'register', 'buffer_km')} km from any treated area, are covered by the "
        "data in the window, and lie on common support (asked for: "
        f"{setting(plan, 'design', 'common_support')}): their level before the start is inside "
        f"the range of the treated areas. {chosen} History is taken as: "
        f"{setting(plan, 'design', 'history')}. Characteristics: "
        f"{setting(plan, 'design', 'covariates')}."
    )


_WEIGHTS = (
    "Weights w start equal (d) and are changed as little as possible: Σ(w − d)² / 2d is made "
    "smallest subject to the weighted benchmark areas having the treated areas’ totals on every "
    "characteristic, with no weight below zero. The problem is solved through its dual, and has "
    "one answer. Where equality cannot be had, squared imbalance is given a high price instead, so "
    "that it is as small as the pool allows; what is left is printed. Weights for claims about "
    "change use history before the start; weights for claims about level use no history of the "
    "outcome, and neither ever uses anything dated after the start."
)
_ESTIMATE = (
    "Change in counts: the ratio of totals, (Y after / Ŷ after) / (Y before / Ŷ before) − 1, where "
    "Y is what was observed and Ŷ the weighted sum of the benchmark areas. Avoided incidents come "
    "from the same four totals. Change in scores and rates: the difference between the two "
    "changes. Level: the weighted gap over the latest year; a difference between places, whatever "
    "its cause. No area already treated ever serves as a comparison."
)


def _sure(plan: Mapping[str, Any]) -> str:
    return (
        f"The main test is the placebo. {setting(plan, 'analysis', 'placebos')} placebo "
        "programmes, alike in number, size and start dates but made of areas where nothing of the "
        "kind was done, go through the whole design and estimate. Each estimate is divided by the "
        "standard error predicted for it (T). The placebo T are centred on zero and stretched to "
        "the larger of their mean square and of what they would vary by if they shared no places, "
        "because chance alone moves their centre away from the estimate, and widened for how few "
        "separate places there are (Student’s t). The p-value is twice the smaller tail, with one "
        "added to count and total, and never less than so many places can show. One interval is "
        "printed: it holds for all primary outcomes of the group at once, from the largest T over "
        "all of them in each placebo programme (max-T, Westfall and Young). That of one outcome "
        "alone is in its technical annex. The centre of the placebo estimates is printed and never "
        "subtracted. Placebos speak for places chosen as theirs were; real programmes go where "
        "things are bad."
    )


_VERDICT = (
    "Read from the printed interval. It lies inside the smallest effect of interest: little "
    "difference. It leaves out zero: better or worse. Otherwise: cannot tell. Of a level: alike, "
    "higher, lower, or cannot tell. No more than ‘cannot tell’ is said, with the reason, where the "
    "study does not say which areas touch; of one place, where under 39 separate places can be "
    "compared with it; and of a programme that is over three quarters of the pool’s places. Parts "
    "of a total, and single places of a programme of several, are described. With more than 10% "
    "of its window missing a neighbourhood is left out.",
    "The smallest detectable effect is the one whose verdict the study would have found with 80% "
    "power. It is no part of the verdict.",
)
_GRADE = (
    "Graded on the Maryland scale in the wording of What Works Growth. Other versions of the scale "
    "grade the same method differently. A change is graded 3 only where benchmark areas are within "
    "0.25 standard deviations of the treated ones on every characteristic, and where a second "
    "design, which does not see the last year before the start, shows that the gap in that year is "
    "smaller than the smallest effect of interest (its 90% interval lies inside it); else 2. A "
    "difference in level, and a change in one place, are graded 2 at most. The grade says how "
    "strong the design is; the interval says how exact the estimate is."
)


def _grades() -> tuple[str, ...]:
    return tuple(f"{text[:1].upper()}{text[1:]}." for text in terms.MARYLAND.values())


def setting(plan: Mapping[str, Any], *path: str) -> str:
    """Return one setting of the plan as text; 'not given' where the plan does not say."""
    value: Any = plan
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return NONE_GIVEN if value is None else _setting_text(value)


def settings(plan: Mapping[str, Any]) -> Table:
    """Return every setting of the plan."""
    return Table("Every setting of the plan", ("Setting", "Value"), tuple(_leaves(plan, "")))


def planned_outcomes(plan: Mapping[str, Any]) -> Table:
    """Return the outcomes of a plan: what is claimed of each, and what counts as little."""
    head = (
        "Outcome",
        "Family",
        "Claim",
        "Better",
        "Smallest effect of interest",
        "Unit",
        "Primary",
        "Source",
    )
    keys = (
        "label",
        "family",
        "claim",
        "better",
        "smallest_effect_of_interest",
        "unit",
        "primary",
        "source",
    )
    rows = tuple(
        tuple(_setting_text(o[k]) if o.get(k) is not None else NONE_GIVEN for k in keys)
        for o in plan.get("outcome", [])
    )
    return Table("Outcomes of the plan", head, rows, frozenset({4}))


def _leaves(value: Any, name: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            leaf
            for key, item in value.items()
            for leaf in _leaves(item, f"{name}.{key}" if name else str(key))
        ]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [leaf for i, item in enumerate(value, 1) for leaf in _leaves(item, f"{name}.{i}")]
    return [(name, NONE_GIVEN if value is None else _setting_text(value))]


def _setting_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_setting_text, value)) or "none"
    if isinstance(value, dict):
        return " as of ".join(str(item) for item in value.values() if item is not None)
    return f"{value:g}" if isinstance(value, float) else str(value)

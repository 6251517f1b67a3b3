"""The plan's settings as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.document.chart_tables import NONE_GIVEN, Table

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    keys = ("label", "family", "claim", "better", "smallest_effect_of_interest", "unit", "primary", "source")
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

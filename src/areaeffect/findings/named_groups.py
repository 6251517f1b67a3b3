"""Some of a study's neighbourhoods, picked by what its areas and attributes files say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.findings.case import Group
from areaeffect.periods import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.panel import Neighbourhood
    from areaeffect.study.initiative import Limits, NamedGroup

NOT_GIVEN = "not given"


def named_group(units: Sequence[Neighbourhood], asked: NamedGroup) -> Group | None:
    """Return the neighbourhoods that meet one of the group's sets of conditions; None if none."""
    members = tuple(
        g
        for g, unit in enumerate(units)
        if any(
            all(_meets(value_of(unit, key), wanted) for key, wanted in conditions.items())
            for conditions in asked.where
        )
    )
    return Group(name=asked.name, units=members) if members else None


def _meets(value: str, wanted: tuple[str, ...] | Limits) -> bool:
    return value in wanted if isinstance(wanted, tuple) else wanted.hold(value)


def value_of(unit: Neighbourhood, key: str) -> str:
    """Return a neighbourhood's value of an attribute."""
    if key == "start":
        return label(unit.start, unit.start_kind)
    if key == "initiative":
        return unit.initiative
    if key == "resident_led":
        return {True: "yes", False: "no", None: NOT_GIVEN}[unit.resident_led]
    return unit.attributes.get(key) or NOT_GIVEN

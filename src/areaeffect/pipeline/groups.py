"""Findings by start, by who leads, and by any column that the areas file gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.errors import Problem, StudyError, did_you_mean
from areaeffect.periods import label
from areaeffect.pipeline.conclude import case_of, further_findings
from areaeffect.pipeline.describe import Group
from areaeffect.pipeline.plan import disjoint
from areaeffect.results import Annex, Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.panel import Neighbourhood
    from areaeffect.pipeline.assemble import Assembled
    from areaeffect.pipeline.describe import Evidence
    from areaeffect.pipeline.steps import Finished
    from areaeffect.results import Finding
    from areaeffect.study_file import StudyFile
    from areaeffect.study_initiative import Limits, NamedGroup

NOT_GIVEN = "not given"
#: Attribute of groups that the study names itself.
NAMED = "group"
#: Grouped by without a column of the areas file.
OWN_KEYS = ("start", "resident_led", "initiative")
_TWO = 2
_NUMBERS = ("estimate", "low", "high", "p_value", "mde", "n_disjoint_placebos")

_COLUMNS = (
    Column("attribute", "string", "what neighbourhoods are told apart by"),
    Column("value", "string", "its value; of a contrast, that of the first side"),
    Column("against", "string", "of a contrast, the value of the other side; else empty"),
    Column("outcome", "string", "name of the outcome"),
    Column("label", "string", "its name in print"),
    Column("claim", "string", "change, level, or contrast between two values"),
    Column("form", "string", "ratio: fraction; additive: in `unit`"),
    Column("unit", "string", "unit of additive numbers"),
    Column("neighbourhoods", "integer", "neighbourhoods that it rests on"),
    Column("areas", "integer", "treated areas"),
    Column("estimate", "number", "effect, difference in level, or contrast of two effects"),
    Column("low", "number", "95% placebo interval, for this row alone"),
    Column("high", "number", "the same, upper end"),
    Column("p_value", "number", "placebo p-value, for this row alone"),
    Column("mde", "number", "smallest effect that would be found in 80 of 100 cases"),
    Column("n_disjoint_placebos", "integer", "placebo programmes that share no area"),
    Column("verdict", "string", "what may be said of this row alone"),
    Column("caveats", "string", "what to mind"),
)


def groups_step(finished: Finished) -> Annex | None:
    """Return further findings by attribute; None where the study asks for none.

    They are not primary: their intervals hold one by one and are not widened for their number.
    """
    evidence = finished.evidence
    keys = evidence.study.analysis.groups
    named = evidence.study.group
    if not keys and not named:
        return None
    rows, notes = [], []
    for one in named:
        group = named_group(evidence.plan.units, one)
        if group is None:
            notes.append(f"No neighbourhood belongs to '{one.name}'.")
        else:
            rows += [_row(NAMED, group.name, "", f) for f in _findings(evidence, group)]
    for key in keys:
        groups = attribute_groups(evidence.plan.units, key)
        if len(groups) == 1:
            only = groups[0].name
            notes.append(f"All neighbourhoods have the same {key.replace('_', ' ')}: {only}.")
        for group in groups:
            against = _other(groups, group)
            rows += [_row(key, group.name, against, f) for f in _findings(evidence, group)]
    values = {
        "keys": [*([NAMED] if named else []), *keys],
        "notes": notes,
        "n_findings": len(rows),
    }
    table = DataTable("groups", "Findings by attribute", _COLUMNS, tuple(rows))
    return Annex("groups", values, (table,))


def check_groups(file: StudyFile, data: Assembled) -> None:
    """Refuse an attribute, in `analysis.groups` or `[[group]]`, that no neighbourhood has.

    Raises
    ------
    StudyError
        With every such key, and what there is.
    """
    known = [*OWN_KEYS, *sorted({k for n in data.neighbourhoods for k in n.attributes})]
    asked = [(key, f"analysis.groups.{i}") for i, key in enumerate(file.study.analysis.groups)]
    asked += [
        (key, f"group.{i}.where")
        for i, group in enumerate(file.study.group)
        for key in dict.fromkeys(k for conditions in group.where for k in conditions)
    ]
    problems = [
        Problem(
            f"'{key}' is no column of the areas files.",
            file.where(place),
            did_you_mean(key, known) or f"There are: {', '.join(known)}.",
        )
        for key, place in asked
        if key not in known
    ]
    if problems:
        raise StudyError(problems)


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
    return Group(asked.name, members) if members else None


def _meets(value: str, wanted: tuple[str, ...] | Limits) -> bool:
    return value in wanted if isinstance(wanted, tuple) else wanted.hold(value)


def attribute_groups(units: Sequence[Neighbourhood], key: str) -> list[Group]:
    """Return one group a value, in order, and the contrast where there are two values."""
    members: dict[str, list[int]] = {}
    for g, unit in enumerate(units):
        members.setdefault(value_of(unit, key), []).append(g)
    groups = [Group(value, tuple(members[value])) for value in sorted(members)]
    named = [group for group in groups if group.name != NOT_GIVEN]
    if len(named) == _TWO:
        one, two = named
        groups.append(Group(one.name, one.units, against=two.units))
    return groups


def value_of(unit: Neighbourhood, key: str) -> str:
    """Return a neighbourhood's value of an attribute."""
    if key == "start":
        return label(unit.start, unit.start_kind)
    if key == "initiative":
        return unit.initiative
    if key == "resident_led":
        return {True: "yes", False: "no", None: NOT_GIVEN}[unit.resident_led]
    return unit.attributes.get(key) or NOT_GIVEN


def _other(groups: Sequence[Group], group: Group) -> str:
    return next((g.name for g in groups if g.units == group.against and not g.against), "")


def _findings(evidence: Evidence, group: Group) -> list[Finding]:
    apart = disjoint(evidence.plan, (*group.units, *group.against))
    cases = [
        case_of(evidence, group, o, apart, is_ratio=outcome.kind == "count")
        for o, outcome in enumerate(evidence.study.outcome)
        if not (group.against and outcome.claim == "level")
    ]
    return list(further_findings(evidence, cases))


def _row(
    key: str, value: str, against: str, finding: Finding
) -> tuple[str | float | int | bool | None, ...]:
    return (
        key,
        value,
        against,
        finding.outcome,
        finding.label,
        finding.claim,
        finding.form,
        finding.unit,
        finding.n_neighbourhoods,
        finding.n_areas,
        *(getattr(finding, name) for name in _NUMBERS),
        str(finding.verdict),
        " ".join(finding.caveats),
    )

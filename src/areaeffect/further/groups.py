"""Findings by start, by who leads, and by any column that the areas file gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from areaeffect.document.axes import printed, scaled
from areaeffect.document.blocks import Bullets, Data, Paragraph, Section
from areaeffect.document.chart_tables import Table
from areaeffect.errors import Problem, StudyError, did_you_mean
from areaeffect.findings.case import Group
from areaeffect.findings.conclude import cases_of_group, draw_case, findings_of
from areaeffect.findings.named_groups import NOT_GIVEN, named_group, value_of
from areaeffect.results import ALL_INITIATIVES, Annex, Column, DataTable
from areaeffect.wording.numbers import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.assembly.assemble import Assembled
    from areaeffect.document.blocks import Block
    from areaeffect.findings.case import Evidence
    from areaeffect.findings.finished import Finished
    from areaeffect.panel import Neighbourhood
    from areaeffect.results import Finding, Result
    from areaeffect.study.file import StudyFile

_HEAD = (
    "Neighbourhoods",
    "Outcome",
    "Number",
    "Verdict",
    "Estimate",
    "95% interval",
    "Smallest detectable",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """By what the study tells its neighbourhoods apart."""

    keys: tuple[str, ...]
    notes: tuple[str, ...]
    n_findings: int


def groups_section(_result: Result, annex: Annex[Grouped]) -> Section:
    """Return one table an attribute, a contrast's row saying both sides."""
    records = annex.table("groups").records()
    n = annex.found.n_findings
    blocks: list[Block] = [
        Paragraph(
            f"{plural(n, 'further finding')} beside the main ones. Each interval holds for its row "
            f"alone: of {n} rows, some will look unusual by chance. What differs between groups "
            "may be owed to the places in them, not to the attribute."
        )
    ]
    if annex.found.notes:
        blocks.append(Bullets(annex.found.notes))
    for key in annex.found.keys:
        own = [r for r in records if r["attribute"] == key]
        title = "Some of the neighbourhoods" if key == "group" else f"By {key.replace('_', ' ')}"
        rows = tuple(_cells(record) for record in own)
        blocks.append(Data(Table(title, _HEAD, rows, frozenset({4, 5, 6})), "groups"))
    return Section("groups", "By start, by who leads, and by other attributes", tuple(blocks))


def _cells(record: dict[str, Any]) -> tuple[str, ...]:
    who = record["value"]
    if record["against"]:
        who = f"{record['value']} against {record['against']}"
    form = record["form"]
    span = "–"
    if record["low"] is not None and record["high"] is not None:
        span = " to ".join(printed(scaled(record[end], form), form) for end in ("low", "high"))
    estimable = record["estimate"] is not None
    verdict = record["verdict"] if estimable else f"{record['verdict']}: {record['caveats']}"
    mde = record["mde"]
    return (
        who,
        record["label"],
        str(record["neighbourhoods"]),
        verdict,
        printed(scaled(record["estimate"], form), form) if estimable else "–",
        span,
        "–" if mde is None else printed(scaled(abs(mde), form), form),
    )


#: Attribute of groups that the study names itself.
NAMED = "group"
#: Grouped by without a column of the areas file.
OWN_KEYS = ("start", "resident_led", "initiative")
TITLE = "Findings by attribute"
_AGAINST = " against "
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
    Column("low", "number", "95% interval, for all primary outcomes of the group together"),
    Column("high", "number", "the same, upper end"),
    Column("p_value", "number", "placebo p-value that goes with the interval"),
    Column("mde", "number", "smallest effect that would be found in 80 of 100 cases"),
    Column("n_disjoint_placebos", "integer", "placebo programmes that share no area"),
    Column("verdict", "string", "what may be said"),
    Column("caveats", "string", "what to mind"),
)


def by_attribute(evidence: Evidence) -> tuple[Finding, ...]:
    """Return the findings that `analysis.groups` asks for; none where it asks for none.

    Each group, and each contrast, is a family of its own.
    """
    units, analysis = evidence.plan.units, evidence.study.analysis
    asked = [(NAMED, group) for one in evidence.study.group if (group := named_group(units, one))]
    asked += [(key, group) for key in analysis.groups for group in attribute_groups(units, key)]
    groups = [_placed(units, key, group) for key, group in asked]
    cases = [case for group in groups for case in cases_of_group(evidence, group)]
    found = findings_of(evidence, [draw_case(evidence, case) for case in cases])
    apart = (
        f"One of {len(found)} findings by attribute: what differs between such groups may be owed "
        "to the places in them."
    )
    return tuple(
        f if f.estimate is None else replace(f, caveats=(*f.caveats, apart)) for f in found
    )


def _placed(units: Sequence[Neighbourhood], key: str, group: Group) -> Group:
    whose = {units[g].initiative for g in (*group.units, *group.against)}
    initiative = whose.pop() if len(whose) == 1 else ALL_INITIATIVES
    return replace(group, initiative=initiative, attribute=key)


def groups_step(finished: Finished) -> Annex[Grouped] | None:
    """Put the findings by attribute into a table; None where the study asks for none."""
    study, units = finished.evidence.study, finished.evidence.plan.units
    keys, named = study.analysis.groups, study.group
    if not keys and not named:
        return None
    notes = [
        f"No neighbourhood belongs to '{one.name}'."
        for one in named
        if named_group(units, one) is None
    ]
    for key in keys:
        groups = attribute_groups(units, key)
        if len(groups) == 1:
            only = groups[0].name.removeprefix(_named(key, ""))
            notes.append(f"All neighbourhoods have the same {key.replace('_', ' ')}: {only}.")
    rows = tuple(_row(f) for f in finished.result.by_attribute)
    found = Grouped(
        keys=(*([NAMED] if named else []), *keys), notes=tuple(notes), n_findings=len(rows)
    )
    return Annex("groups", found, (DataTable("groups", TITLE, _COLUMNS, rows),))


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


def attribute_groups(units: Sequence[Neighbourhood], key: str) -> list[Group]:
    """Return one group a value, in order, and the contrast where there are two values.

    A group is named as findings.json names it: 'resident led: yes', or 'resident led: no
    against yes' for the contrast.
    """
    members: dict[str, list[int]] = {}
    for g, unit in enumerate(units):
        members.setdefault(value_of(unit, key), []).append(g)
    groups = [Group(_named(key, value), tuple(members[value])) for value in sorted(members)]
    known = sorted(value for value in members if value != NOT_GIVEN)
    if len(known) == _TWO:
        one, two = known
        name = _named(key, one + _AGAINST + two)
        groups.append(Group(name, tuple(members[one]), against=tuple(members[two])))
    return groups


def _named(key: str, value: str) -> str:
    return f"{key.replace('_', ' ')}: {value}"


def _row(finding: Finding) -> tuple[str | float | int | bool | None, ...]:
    value = finding.group.removeprefix(_named(finding.attribute, ""))
    against = ""
    if finding.claim == "contrast":
        value, _, against = value.partition(_AGAINST)
    return (
        finding.attribute,
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

"""Findings by start, by who leads, and by any column that the areas file gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from areaeffect.assembly.assemble import Assembled
from areaeffect.document.blocks import Block, Bullets, Data, Paragraph, Section
from areaeffect.document.chart_tables import Table
from areaeffect.document.svg import both_ends, printed, scaled
from areaeffect.errors import Problem, StudyError, did_you_mean
from areaeffect.findings.case import NOT_GIVEN, Evidence, Finished, Group, named_group, value_of
from areaeffect.findings.conclude import cases_of_group, draw_case, findings_of
from areaeffect.panel import Neighbourhood
from areaeffect.records import described, rows_of, table_of
from areaeffect.results import ALL_INITIATIVES, Annex, Finding, Result
from areaeffect.study.file import StudyFile
from areaeffect.wording.numbers import PHRASES, interval_head, phrase, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """By what the study tells its neighbourhoods apart."""

    keys: tuple[str, ...]
    notes: tuple[str, ...]
    n_findings: int


def groups_section(result: Result, annex: Annex[Grouped]) -> Section:
    """Return one table an attribute, a contrast's row saying both sides."""
    records = rows_of(annex.table("groups"), GroupRow)
    n = annex.found.n_findings
    blocks: list[Block] = [
        Paragraph(phrase("groups.beside_main", findings=plural(n, "further finding"), n=n))
    ]
    if annex.found.notes:
        blocks.append(Bullets(annex.found.notes))
    span = interval_head(result.by_attribute)
    head = ("Neighbourhoods", "Outcome", "Number", "Verdict", "Estimate", span, "Smallest detectable")
    for key in annex.found.keys:
        own = [r for r in records if r.attribute == key]
        title = "Some of the neighbourhoods" if key == "group" else f"By {key.replace('_', ' ')}"
        rows = tuple(_cells(record) for record in own)
        blocks.append(Data(Table(title, head, rows, frozenset({4, 5, 6})), "groups"))
    return Section("groups", PHRASES["groups.start_who"], tuple(blocks))


def _cells(record: GroupRow) -> tuple[str, ...]:
    who = record.value
    if record.against:
        who = f"{record.value} against {record.against}"
    form = record.form
    estimable = record.estimate is not None
    verdict = record.verdict if estimable else f"{record.verdict}: {record.caveats}"
    mde = record.mde
    return (
        who,
        record.label,
        str(record.neighbourhoods),
        verdict,
        printed(scaled(record.estimate, form), form) if estimable else "–",
        both_ends(scaled(record.low, form), scaled(record.high, form), form),
        "–" if mde is None else printed(scaled(abs(mde), form), form),
    )


#: Attribute of groups that the study names itself.
NAMED = "group"
#: Grouped by without a column of the areas file.
OWN_KEYS = ("start", "resident_led", "initiative")
TITLE = "Findings by attribute"
_AGAINST = " against "
_TWO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """One finding by attribute."""

    attribute: str = described("the attribute by which neighbourhoods are grouped")
    value: str = described("its value; of a contrast, that of the first side")
    against: str = described("of a contrast, the value of the other side; else empty")
    outcome: str = described("name of the outcome")
    label: str = described("its name in print")
    claim: str = described("change, level, or contrast between two values")
    form: str = described("ratio: fraction; additive: in `unit`")
    unit: str = described("unit of additive numbers")
    neighbourhoods: int = described("neighbourhoods that it rests on")
    areas: int = described("treated areas")
    estimate: float | None = described("effect, difference in level, or contrast of two effects", None)
    low: float | None = described("printed interval, for all primary outcomes of the group together", None)
    high: float | None = described("the same, upper end", None)
    p_value: float | None = described("placebo p-value that goes with the interval", None)
    mde: float | None = described("smallest effect that would be found in 80 of 100 cases", None)
    n_disjoint_placebos: int | None = described("placebo programmes that share no area", None)
    verdict: str = described("what may be said")
    caveats: str = described("what to mind")


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
    apart = phrase("groups.one_findings", n=len(found))
    return tuple(f if f.estimate is None else replace(f, caveats=(*f.caveats, apart)) for f in found)


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
    notes = [f"No neighbourhood belongs to '{one.name}'." for one in named if named_group(units, one) is None]
    for key in keys:
        groups = attribute_groups(units, key)
        if len(groups) == 1:
            only = groups[0].name.removeprefix(_named(key, ""))
            notes.append(f"All neighbourhoods have the same {key.replace('_', ' ')}: {only}.")
    rows = [_row(f) for f in finished.result.by_attribute]
    found = Grouped(keys=(*([NAMED] if named else []), *keys), notes=tuple(notes), n_findings=len(rows))
    return Annex("groups", found, (table_of("groups", TITLE, GroupRow, rows),))


def check_groups(file: StudyFile, data: Assembled | None) -> tuple[str, ...]:
    """Refuse an attribute, in `analysis.groups` or `[[group]]`, that no neighbourhood has.

    Raises
    ------
    StudyError
        With every such key, and what there is.
    """
    if data is None:
        return ()
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
    return ()


def attribute_groups(units: Sequence[Neighbourhood], key: str) -> list[Group]:
    """Return one group a value, in order, and the contrast where there are two values.

    A group is named as findings.json names it: 'resident led: yes', or 'resident led: no
    against yes' for the contrast.
    """
    members: dict[str, list[int]] = {}
    for g, unit in enumerate(units):
        members.setdefault(value_of(unit, key), []).append(g)
    groups = [Group(name=_named(key, value), units=tuple(members[value])) for value in sorted(members)]
    known = sorted(value for value in members if value != NOT_GIVEN)
    if len(known) == _TWO:
        one, two = known
        name = _named(key, one + _AGAINST + two)
        groups.append(Group(name=name, units=tuple(members[one]), against=tuple(members[two])))
    return groups


def _named(key: str, value: str) -> str:
    return f"{key.replace('_', ' ')}: {value}"


def _row(finding: Finding) -> GroupRow:
    value = finding.group.removeprefix(_named(finding.attribute, ""))
    against = ""
    if finding.claim == "contrast":
        value, _, against = value.partition(_AGAINST)
    return GroupRow(
        attribute=finding.attribute,
        value=value,
        against=against,
        outcome=finding.outcome,
        label=finding.label,
        claim=finding.claim,
        form=finding.form,
        unit=finding.unit,
        neighbourhoods=finding.n_neighbourhoods,
        areas=finding.n_areas,
        estimate=finding.estimate,
        low=finding.low,
        high=finding.high,
        p_value=finding.p_value,
        mde=finding.mde,
        n_disjoint_placebos=finding.n_disjoint_placebos,
        verdict=str(finding.verdict),
        caveats=" ".join(finding.caveats),
    )

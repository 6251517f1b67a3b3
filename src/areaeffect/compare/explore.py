"""Questions of the web app, answered from a base study in memory as `areaeffect evaluate` answers them.

Its line is cut where the page may be read; each stage writes one folder that appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.assembly.assemble import AreaData, Assembled, read_area_data, with_initiatives
from areaeffect.commands.evaluate import estimate, map_shapes, planned, with_costs
from areaeffect.compare.page import answer_sections, design_sections, power_sections, without_keys
from areaeffect.compare.question import (
    AREAS_FILE,
    STUDY_FILE,
    Question,
    Repair,
    areas_csv,
    compose,
    repairs_of,
)
from areaeffect.document.chart_tables import json_text, write_table, write_text
from areaeffect.document.folders import RUN_FILE, write_whole
from areaeffect.document.page import sections_html
from areaeffect.errors import DataError, StudyError
from areaeffect.findings.plan import Plan, make_plan
from areaeffect.findings.refusals import refused
from areaeffect.further.registry import further_inputs
from areaeffect.geography.boundaries import bands, contiguity, within
from areaeffect.placebo.workers import default_threads, single_threaded, version_of_code
from areaeffect.power.calculation import power_of
from areaeffect.power.page import as_values
from areaeffect.records import Column, DataTable
from areaeffect.report.faces import links_of
from areaeffect.report.files import design_values, findings_content, rounded, write_result
from areaeffect.report.local_map import Outlines
from areaeffect.report.tables import write_parquet
from areaeffect.study.file import StudyFile, parse_study, read_base
from areaeffect.value.valuation import cost_releases
from areaeffect.wording.numbers import PHRASES

if TYPE_CHECKING:
    from areaeffect.results import Release, Result

    Tell = Callable[[str, int, int], None]

#: Folders of a run, in the order in which they appear.
ASKED, DESIGN, POWER, ANSWER, RESULT, PARQUET, REFUSED = (
    "asked", "design", "power", "answer", "result", "parquet", "refused",
)  # fmt: skip
PAGE_FILE, DESIGN_FILE, POWER_FILE, FINDINGS_FILE, REFUSED_FILE = (
    "page.html", "design.json", "power.json", "findings.json", "refused.json",
)  # fmt: skip
#: The file that each part has when it is whole.
MARKS = {
    ASKED: STUDY_FILE,
    DESIGN: DESIGN_FILE,
    POWER: POWER_FILE,
    ANSWER: FINDINGS_FILE,
    RESULT: RUN_FILE,
    PARQUET: "findings.parquet",
    REFUSED: REFUSED_FILE,
}
#: Benchmark areas with a row of their own; questions offered instead of one without an answer.
_SHOWN, _MOST_REPAIRS = 20, 2


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """A base study with its data in memory."""

    file: StudyFile  # the study, its initiative left open
    area_data: AreaData  # what its data say whoever is treated
    outlines: Outlines | None  # what every map of it needs; None without boundaries.

    @property
    def releases(self) -> tuple[Release, ...]:
        """Every file that was read, which a run's key names."""
        own = (r for t in self.area_data.tables.values() for r in (t.release, *t.more_releases))
        return (*own, *cost_releases(self.file))


def load_base(path: Path, folder: Path, store: Path | None = None) -> Base:
    """Read a base study, of which an atlas holds a copy, and make ready what every question needs.

    `folder` is where its relative paths start.
    """
    with single_threaded():
        file = replace(read_base(path), path=folder / STUDY_FILE)
        area_data = read_area_data(file, store)
        study, boundaries = file.study, area_data.boundaries
        base = Base(file, area_data, None)
        if boundaries is None:
            return base
        contiguity(boundaries)
        within(boundaries, 1000 * study.register_.buffer_km)
        bands(boundaries, tuple(1000 * km for km in study.analysis.rings_km))
        credit = " ".join(dict.fromkeys(r.attribution for r in base.releases if r.attribution))
        outlines = Outlines(map_shapes(boundaries, area_data.areas), credit)
        _ = outlines.backdrop, outlines.bounds  # made here, kept for every map
        return replace(base, outlines=outlines)


def has(folder: Path, part: str) -> bool:
    """Whether a part of a run is finished."""
    return (folder / part / MARKS[part]).is_file()


def ask(base: str, question: Question, folder: Path) -> None:
    """Write the study file of a question and its areas into the folder of its run, as users download them."""

    def write(aside: Path) -> None:
        write_text(aside / "question.json", json_text(question.to_dict(), indent=1))
        write_text(aside / STUDY_FILE, compose(base, question))
        write_text(aside / AREAS_FILE, areas_csv(question))

    if not has(folder, ASKED):
        write_whole(folder / ASKED, write)


def plan_into(base: Base, question: Question, folder: Path, tell: Tell) -> None:
    """Design a question, then say what it could see: two folders, `design` and `power`.

    A question that nothing can answer leaves a folder `refused` instead, with questions about
    nearly the same place that can be answered.
    """
    with single_threaded():
        tell("choosing benchmark areas", 0, 1)
        ask(base.file.text, question, folder)
        try:
            designed = _planned(base, question, folder)
            why = _why_nothing(*designed)
        except (StudyError, DataError) as error:
            why = error.problems[0].what
        if why:
            refusal = {"what": why, "repairs": [asdict(r) for r in _repairs(base, question)]}
            _write(folder / REFUSED, {REFUSED_FILE: json_text(refusal, indent=1)})
            return
        file, data, plan = designed
        result = planned(file, data, plan)
        # the page names no other areas, and its maps are drawn from `base`
        kept = tuple(a for a in result.areas if a.role in ("treated", "benchmark"))
        result, likeness = rounded(replace(result, areas=kept, shapes=())), likeness_of(data, plan)

        def write_design(aside: Path) -> None:
            content = design_values(result) | {"releases": [asdict(r) for r in result.releases]}
            write_text(aside / DESIGN_FILE, json_text(content, indent=1))
            write_table(aside / "likeness.csv", likeness.title, likeness.columns, likeness.records())
            sections = design_sections(result, likeness, base.outlines)
            write_text(
                aside / PAGE_FILE, sections_html(sections, {"likeness": f"{folder.name}/likeness.csv"})
            )

        write_whole(folder / DESIGN, write_design)
        tell("working out what could be detected", 0, 1)
        measures = tuple(data.panel.measures[o.name] for o in file.study.outcome)
        report = power_of(file.study, measures, plan, default_threads(), lambda *_: None, curve=False)
        page = sections_html(power_sections(report), {})
        _write(folder / POWER, {POWER_FILE: json_text(as_values(report), indent=1), PAGE_FILE: page})


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files into a folder that appears whole or not at all."""

    def write(aside: Path) -> None:
        for name, text in texts.items():
            write_text(aside / name, text)

    write_whole(folder, write)


def _why_nothing(file: StudyFile, data: Assembled, plan: Plan) -> str:
    """Return why no outcome of a question can be estimated; empty where one can."""
    measures = tuple(data.panel.measures[o.name] for o in file.study.outcome)
    found = refused(file.study, plan, measures)
    if len(found) < len(file.study.outcome):
        return ""
    return "; ".join(dict.fromkeys(without_keys(one.reason) for one in found))


def _repairs(base: Base, question: Question) -> list[Repair]:
    """Return up to two questions near one that cannot be answered; each was planned and can."""
    found: list[Repair] = []
    boundaries = base.area_data.boundaries
    middles = None if boundaries is None else boundaries.centres
    for repair in repairs_of(question, base.area_data.areas, middles):
        with TemporaryDirectory() as scratch:
            ask(base.file.text, repair.question, Path(scratch))
            try:
                why = _why_nothing(*_planned(base, repair.question, Path(scratch)))
            except (StudyError, DataError):
                continue
        found += [] if why else [repair]
        if len(found) == _MOST_REPAIRS:
            break
    return found


def answer_into(base: Base, question: Question, folder: Path, tell: Tell) -> None:
    """Estimate a question: the answer to read first, then the whole results folder.

    StudyError or DataError where it cannot be estimated at all.
    """
    with single_threaded():
        result = estimated(base, question, folder, tell)
        tell("writing the answer", 0, 1)
        links = {name: f"{folder.name}/{path}" for name, path in links_of(result).items()}
        page = sections_html(answer_sections(result), links)
        findings = json_text(findings_content(result), indent=1)
        _write(folder / ANSWER, {FINDINGS_FILE: findings, PAGE_FILE: page})
        tell("writing the report", 0, 1)
        write_result(result, folder / RESULT)
        write_whole(folder / PARQUET, lambda aside: write_parquet(result, aside))


def estimated(base: Base, question: Question, folder: Path, tell: Tell) -> Result:
    """Estimate a question, without writing the answer; StudyError or DataError where it cannot be."""
    ask(base.file.text, question, folder)
    tell("choosing benchmark areas", 0, 1)
    file, data, plan = _planned(base, question, folder)
    further_inputs(file, data)
    return rounded(estimate(file, data, plan, default_threads(), tell))


def likeness_of(data: Assembled, plan: Plan) -> DataTable:
    """Return what the place and its benchmark areas were like before the start.

    The place comes first with its means, then all its benchmark areas together, weighted; then
    each of them, the heaviest first, with the characteristics that they were chosen by.
    """
    title = PHRASES["compare.likeness"]
    fixed = (
        Column("number", "integer", "number on the map, 1 counts most; empty: not one area"),
        Column("name", "string", "name of the area"),
        Column("area_code", "string", "code of the area; empty: not one area"),
        Column("weight", "number", "how much it counts; the weights add up to the place's areas"),
    )
    panel, unit, chosen = data.panel, plan.units[0], plan.chosen[0][0]
    if chosen is None:
        return DataTable("likeness", title, fixed, ())
    built = plan.leading.cohort(0, unit.areas).features
    columns = tuple(Column(n, "number", "as known before the start") for n in built.names)
    order = np.lexsort((chosen.pool, -chosen.weights))
    order = order[chosen.weights[order] > 0][:_SHOWN]
    own = built.values[unit.areas].mean(axis=0)
    together = chosen.weights @ built.values[chosen.pool] / chosen.weights.sum()
    rows: list[tuple[str | float | None, ...]] = [
        (None, f"{unit.name} (your place)", "", None, *own.tolist()),
        (None, "All its benchmark areas, weighted", "", None, *together.tolist()),
    ]
    for number, i in enumerate(order, 1):
        area, weight = chosen.pool[i], float(chosen.weights[i])
        name, code = str(panel.names[area]), str(panel.areas[area])
        rows.append((number, name, code, weight, *built.values[area].tolist()))
    return DataTable("likeness", title, (*fixed, *columns), tuple(rows))


def _planned(base: Base, question: Question, folder: Path) -> tuple[StudyFile, Assembled, Plan]:
    """Place a question on its base's data and seal its design.

    The areas are read from the run's own file; the study that is sealed and printed names it as
    the user's copy does.
    """
    file = parse_study(compose(base.file.text, question), base.file.path)
    (ours,) = file.study.initiative
    here = ours.model_copy(update={"areas": str((folder / ASKED / AREAS_FILE).resolve())})
    placed = replace(file, study=file.study.model_copy(update={"initiative": (here,)}))
    data = with_costs(with_initiatives(placed, base.area_data), cost_releases(placed))
    return file, data, make_plan(file, data, version_of_code())


#: What can be asked for, by name.
STAGES: Mapping[str, Callable[[Base, Question, Path, Tell], None]] = {
    "plan": plan_into,
    "answer": answer_into,
}

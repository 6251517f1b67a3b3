"""`areaeffect check`: everything about a study that can be wrong, without an estimate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from areaeffect.commands.evaluate import begin, planned
from areaeffect.document import page
from areaeffect.document.blocks import Document, Paragraph, Section
from areaeffect.document.chart_tables import json_text, write_table, write_text
from areaeffect.document.folders import prepare, write_whole
from areaeffect.document.page import to_html
from areaeffect.errors import Faults
from areaeffect.estimate.inference import ReferencePlaces
from areaeffect.findings.case import Group, groups_of
from areaeffect.findings.describe import too_few_places
from areaeffect.findings.plan import Plan, disjoint
from areaeffect.findings.refusals import refuse_everything_refused, refused
from areaeffect.panel import Panel
from areaeffect.placebo.workers import default_threads, single_threaded
from areaeffect.power.calculation import PowerReport, power_of
from areaeffect.power.page import in_brief, power_section, write_power
from areaeffect.records import Json, columns_of
from areaeffect.report.contents import plan_document, plan_in_print
from areaeffect.report.files import design_values, rounded
from areaeffect.results import AreaStatus, Result
from areaeffect.sources.coverage import SourceRequest, kind_of
from areaeffect.study.file import StudyFile, is_collection, read_collection, read_study

#: Placebo programmes that the smallest effects are measured on, and what is too much to try.
QUICK_DRAWS = 99
_QUICK_DESIGNS, _QUICK_SEARCHES = 1_500, 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a study would work with."""

    title: str  # of the study
    #: n_areas, n_covered: areas in the panel, and those with a value in every period
    n_areas: int
    n_covered: int
    pool: dict[str, int]  # areas by reason; '' are eligible.
    #: (initiative, name, areas, start, pool, effective number, worst imbalance)
    neighbourhoods: tuple[tuple[str, str, int, str, int, float, float], ...]
    gaps: tuple[tuple[str, str, str, str, int, str], ...]  # (outcome, group, first, last, areas, reason)
    #: (group, disjoint programmes, disjoint pseudo-neighbourhoods, why these are too few for a verdict, or
    #: empty)
    placebos: tuple[tuple[str, int, int, str], ...]
    #: a line an initiative and outcome: the smallest effect that would be seen
    smallest_effects: tuple[str, ...]
    sources: tuple[str, ...]  # a line a source: what it is, its periods, and what of the window it lacks
    refused: tuple[str, ...]  # a line an initiative and outcome that cannot be estimated: why
    files: tuple[str, ...]  # a line a file of a source: rows read, kept and left out
    warnings: tuple[str, ...]  # what to look at before estimating
    notes: tuple[str, ...]  # remarks on reading

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return asdict(self)

    def text(self) -> str:
        """Return the report as lines to read, after those on the sources."""
        lines = [f"{self.title}: the study is valid.", ""]
        lines.append(f"{self.n_areas:,} areas, {self.n_covered:,} with a value in every period.")
        for reason, n in sorted(self.pool.items(), key=lambda item: -item[1]):
            lines.append(f"  {n:>7,}  {reason or 'eligible as benchmark areas'}")
        lines += ["", "Neighbourhoods:"]
        for initiative, name, n, start, pool, effective, worst in self.neighbourhoods:
            lines.append(
                f"  {name} ({initiative}), {n} areas from {start}: pool of {pool}, effectively "
                f"{effective:.0f}; worst imbalance {worst:.2f} standard deviations"
            )
        if self.gaps:
            lines += ["", "Gaps:"]
            for outcome, group, first, last, n, reason in self.gaps:
                of = f" of {group}" if group else ""
                lines.append(f"  {outcome}: {n} areas{of} from {first} to {last}, {reason}")
        lines += ["", "Placebo programmes that share no area:"]
        for group, programmes, neighbourhoods, few in self.placebos:
            verdict = f"every verdict will be 'cannot tell': {few}" if few else "enough to judge by"
            lines.append(f"  {group}: {programmes}, of {neighbourhoods} neighbourhoods; {verdict}")
        for title, items in (
            ("Smallest effects that would be detected in 80 of 100 cases", self.smallest_effects),
            ("Cannot be estimated", self.refused),
            ("Files read", self.files),
            ("Look at", self.warnings),
            ("Notes", self.notes),
        ):
            if items:
                lines += ["", *_block(title, items)]
        return "\n".join(lines)


def check(path: Path, store: Path | None, say: Callable[[str], None]) -> CheckReport:
    """Validate a study: file, sources, areas, dates, coverage, pool, balance, placebos.

    Parameters
    ----------
    path : the study file.
    store : the store named on the command line, if any.
    say : prints what the sources hold, which is known at once, before the long part: a gap is
        seen although reading or planning then fails.

    Raises
    ------
    StudyError, DataError
        With every problem found.
    NothingEstimableError
        Where all that is asked would be refused by `evaluate`.
    """
    with single_threaded():
        file = read_study(path)
        sources = _sources(file, store)
        say("\n".join([*_block("Sources", sources), ""]))
        data, plan = begin(file, store, lambda *_: None)
        measures = [data.panel.measures[o.name] for o in file.study.outcome]
        lacking = refused(file.study, plan, measures)
        refuse_everything_refused(file.study, plan, lacking, str(path))
        return _report(file, data.panel, plan, sources, tuple(map(str, lacking)))


def check_any(path: Path, store: Path | None, say: Callable[[str], None]) -> list[CheckReport]:
    """Validate a study, or every study of a collection.

    Raises
    ------
    AreaEffectError
        As `check`; of a collection, with the problems of all its studies.
    """
    if not is_collection(path):
        return [check(path, store, say)]
    file, faults = read_collection(path), Faults()
    reports = []
    for part in file.collection.part:
        say(f"{part.name} ({part.study}):")
        report = faults.attempt(check, file.study(part), store, say)
        reports += [report] if report is not None else []
    faults.raise_all()
    return reports


def _report(
    file: StudyFile, panel: Panel, plan: Plan, sources: tuple[str, ...], lacking: tuple[str, ...]
) -> CheckReport:
    """Put together what a planned study would work with."""
    covered = [m.observed.all(axis=1) for m in panel.measures.values()]
    placebos = []
    for group in groups_of(plan.units):
        found = disjoint(plan, group.units)
        few = too_few_places(ReferencePlaces(_n_places(plan, group), found[1]))
        placebos.append((group.name, *found, few))
    return CheckReport(
        title=file.study.study.title,
        n_areas=len(panel.areas),
        n_covered=int(np.all(covered, axis=0).sum()),
        pool=dict(Counter(plan.pool.reasons)),
        neighbourhoods=tuple(
            (d.initiative, d.neighbourhood, len(d.areas), d.start, d.n_pool, d.n_effective, d.imbalance)
            for d in plan.designs
        ),
        gaps=tuple((g.outcome, g.group, g.first, g.last, g.n_areas, g.reason) for g in panel.gaps),
        placebos=tuple(placebos),
        smallest_effects=_smallest_effects(file, panel, plan),
        sources=sources,
        refused=lacking,
        files=tuple(
            f"{r.source}: {r.file}, {r.rows_read:,} rows read, {r.rows_kept:,} kept, "
            f"{r.rows_rejected:,} left out"
            for r in panel.releases
        ),
        warnings=_warnings(plan.designs),
        notes=(*panel.notes, *plan.notes),
    )


def _n_places(plan: Plan, group: Group) -> int:
    return sum(len(plan.machine.banks[g].pieces) for g in group.units)


def _block(title: str, items: Sequence[str]) -> list[str]:
    return [f"{title}:", *(f"  {item}" for item in items)]


def _smallest_effects(file: StudyFile, panel: Panel, plan: Plan) -> tuple[str, ...]:
    """Work out what the study could detect where that takes seconds; else name the command."""
    study = file.study
    places = sum(len(group.units) for group in groups_of(plan.units))
    if places * QUICK_DRAWS > _QUICK_DESIGNS or places * len(panel.areas) > _QUICK_SEARCHES:
        return (
            f"{places} neighbourhoods among {len(panel.areas):,} areas take a while: run "
            f"`areaeffect power {file.path}`",
        )
    measures = [panel.measures[o.name] for o in study.outcome]
    report = power_of(study, measures, plan, 1, lambda *_: None, most_draws=QUICK_DRAWS, curve=False)
    more = f"`areaeffect power {file.path}` tries more placebos, other numbers of neighbourhoods"
    return (*in_brief(report), f"{more} and lengths of follow-up.")


def _sources(file: StudyFile, store: Path | None) -> tuple[str, ...]:
    """Print of each source what `areaeffect sources` prints, compared with the study's window."""
    requests = (
        SourceRequest(name=name, source=source, file=file, store=store)
        for name, source in file.study.source.items()
    )
    return tuple(kind_of(r.source).describe(r) for r in requests)


_IMBALANCED = 0.25


def _warnings(designs: Any) -> tuple[str, ...]:
    far = [d.neighbourhood for d in designs if d.imbalance > _IMBALANCED]
    if not far:
        return ()
    return (
        f"{len(far)} of {len(designs)} neighbourhoods are over {_IMBALANCED} standard deviations "
        f"from their benchmark areas on some characteristic: {', '.join(far[:5])}"
        + (" and others." if len(far) > 5 else "."),  # noqa: PLR2004
    )


NO_POWER = Section(
    "power",
    "What this study could see",
    (Paragraph("Not computed for this plan. `areaeffect power` computes it from the same file."),),
)


def design_into(
    path: Path,
    out: Path,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    store: Path | None = None,
    *,
    power: bool = True,
) -> str:
    """Write the plan of a study into a folder, and return its seal.

    Parameters
    ----------
    path : the study file.
    out : folder for plan.html, plan.pdf and design.json.
    threads, progress, store : as in `evaluate`.
    power : whether to compute what the study could see, from the years before the first start.

    Raises
    ------
    StudyError, DataError
        With every problem found; nothing is written.
    """
    tell = progress or (lambda _step, _done, _of: None)
    prepare(out, tell)
    with single_threaded():
        file = read_study(path)
        data, plan = begin(file, store, tell)
        section = NO_POWER
        if power:
            measures = tuple(data.panel.measures[o.name] for o in file.study.outcome)
            found = power_of(file.study, measures, plan, threads or default_threads(), tell)
            section = power_section(found)
        write_plan(planned(file, data, plan), section, out)
    return plan.seal.sha256


def power(
    path: Path,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    store: Path | None = None,
    out: Path | None = None,
) -> PowerReport:
    """Plan a study and say what it could see; nothing at or after a start is read.

    Parameters
    ----------
    path : the study file.
    threads, progress, store : as in `evaluate`.
    out : folder for power.json, the tables and power.html; None to write nothing.

    Raises
    ------
    StudyError, DataError
        With every problem found; nothing is written.
    """
    tell = progress or (lambda _step, _done, _of: None)
    if out is not None:
        prepare(out, tell)
    with single_threaded():
        file = read_study(path)
        data, plan = begin(file, store, tell)
        measures = tuple(data.panel.measures[o.name] for o in file.study.outcome)
        lacking = refused(file.study, plan, measures)
        refuse_everything_refused(file.study, plan, lacking, str(path))
        report = power_of(file.study, measures, plan, threads or default_threads(), tell)
    if out is not None:
        write_power(report, out)
    return report


PLAN_PAGE, PLAN_PDF, PLAN_DATA = "plan.html", "plan.pdf", "design.json"
PLAN_AREAS = "areas.csv"
_PAGES, _ON_POWER = 2, (12, 8, 5, 3, 1)


def write_plan(result: Result, power: Section, folder: Path) -> None:
    """Write a sealed plan; the folder appears whole or not at all.

    Parameters
    ----------
    result : a plan without findings.
    power : what the study could see, or why that is not known.
    folder : new, empty, or of an earlier plan.

    Raises
    ------
    StudyError
        Where the folder holds something that this program did not write.
    """
    result = rounded(result)
    document = plan_document(result, power)

    def write(aside: Path) -> None:
        write_text(aside / PLAN_PAGE, to_html(document, {}))
        (aside / PLAN_PDF).write_bytes(_on_two_pages(document))
        content = {"title": result.title, "question": result.question, **design_values(result)}
        statuses = content.pop("areas")  # of a whole country: five times all the rest
        write_text(aside / PLAN_DATA, json_text(content | {"plan": result.plan}, indent=None))
        write_table(
            aside / PLAN_AREAS, "Every area, and what it is in the plan", columns_of(AreaStatus), statuses
        )

    write_whole(folder, write)


def _on_two_pages(document: Document) -> bytes:
    """Print a plan on two pages where it can: with as much on power as there is room for."""
    printed = b""
    for most in _ON_POWER:
        printed = page.to_pdf(plan_in_print(document, most))
        if page.pages(printed) <= _PAGES:
            break
    return printed

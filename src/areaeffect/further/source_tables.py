"""What sources list for the data annex, and what hidden small numbers could change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from areaeffect.document.blocks import Block, Data, Paragraph, Section, SectionPlace
from areaeffect.document.chart_tables import Table, in_words
from areaeffect.estimate import counterfactual as cf
from areaeffect.findings.case import Finished, groups_of
from areaeffect.findings.plan import make_plan
from areaeffect.panel import Measure
from areaeffect.placebo.programmes import run_programme
from areaeffect.records import Column, DataTable, Row
from areaeffect.results import Annex, Bools, Result
from areaeffect.wording.numbers import phrase

_SHOWN = 20
_HEADINGS = (
    "Source",
    "Force",
    "Months complete",
    "Partial",
    "Missing",
    "Rows kept",
    "Rejected",
    "Without an area code",
    "Not complete",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """How many rows each table of the sources has."""

    rows: dict[str, int]


def sources_section(_result: Result, annex: Annex[Listed]) -> Section:
    """Return a row a force, and the first rejected rows; the files hold every month and row."""
    rejected = annex.table("rejected_rows")
    n = len(rejected.rows)
    blocks: list[Block] = [Data(_by_force(annex.table("source_coverage")), "source_coverage")]
    if n:
        shown = in_words(rejected)
        more = phrase("source_tables.first_shown", shown=_SHOWN) if n > _SHOWN else ""
        noun = "row was" if n == 1 else "rows were"
        blocks.append(Paragraph(f"{n:,} {noun} rejected and not used.{more}"))
        first = Table(shown.caption, shown.head, shown.rows[:_SHOWN], shown.numeric)
        blocks.append(Data(first, "rejected_rows"))
    else:
        blocks.append(Paragraph("No row was rejected."))
    return Section("sources", "What the sources reported", tuple(blocks), place=SectionPlace.DATA)


def _by_force(coverage: DataTable) -> Table:
    """Return a row a source and force, with its gaps as runs of months."""
    rows = []
    for (source, force), group in groupby(coverage.records(), key=lambda r: (r["source"], r["force"])):
        months = list(group)
        counted = [sum(m["status"] == s for m in months) for s in ("complete", "partial", "missing")]
        sums = [sum(m[k] for m in months) for k in ("rows_kept", "rows_rejected", "not_located")]
        cells = [f"{n:,}" for n in (*counted, *sums)]
        rows.append((source, force, *cells, _runs(months)))
    return Table("Coverage by force", _HEADINGS, tuple(rows), frozenset(range(2, 8)))


def _runs(months: list[Row]) -> str:
    runs = []
    for (status, why), group in groupby(months, key=lambda m: (m["status"], m["why"])):
        run = list(group)
        if status != "complete":
            last = run[-1]["month"]
            span = last if len(run) == 1 else f"{run[0]['month']} to {last}"
            runs.append(f"{span} {status} ({why})")
    return "; ".join(runs) or "none"


def source_tables_step(finished: Finished) -> Annex[Listed] | None:
    """Return the sources' tables, those of one name joined; None where no source has any."""
    joined: dict[str, DataTable] = {}
    for table in finished.data.tables:
        earlier = joined.get(table.name)
        joined[table.name] = replace(earlier, rows=(*earlier.rows, *table.rows)) if earlier else table
    if not joined:
        return None
    rows = {name: len(table.rows) for name, table in joined.items()}
    return Annex("sources", Listed(rows), tuple(joined.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenNumbers:
    """Numbers of one outcome that are hidden: how many, and what each can be."""

    cells: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Hidden numbers by outcome."""

    outcomes: dict[str, HiddenNumbers]


def suppressed_section(_result: Result, annex: Annex[Suppressed]) -> Section:
    """Return the estimates with every hidden number at its least and at its most."""
    blocks: list[Paragraph | Data] = [
        Paragraph(
            phrase(
                "source_tables.hidden",
                label=name.replace("_", " ").capitalize(),
                cells=f"{said.cells:,}",
                least=said.least,
                most=said.most,
            )
        )
        for name, said in sorted(annex.found.outcomes.items())
    ]
    blocks += [Data(in_words(t), t.name) for t in annex.tables]
    return Section("suppressed", "Hidden small numbers", tuple(blocks))


_COLUMNS = (
    Column("outcome", "string", "Short name of the outcome"),
    Column("group", "string", "Group of neighbourhoods"),
    Column("taken_as", "integer", "What every hidden number is taken to be; empty: as in the finding"),
    Column("estimate", "number", "Ratio less one; empty where there is none"),
    Column("n_areas", "integer", "Treated areas in it"),
    Column("n_neighbourhoods", "integer", "Neighbourhoods in it"),
)


def suppressed(finished: Finished) -> Annex[Suppressed] | None:
    """Estimate again with every hidden number at its least, and at its most.

    The whole design is made again, because it rests on these numbers too. Point
    estimates only: they bracket what the hidden numbers can do, not chance.

    Returns
    -------
    Annex
        None where no count of the study is hidden within a range that its publisher states.
    """
    rows: list[tuple[str | float | int | bool | None, ...]] = []
    hidden: dict[str, HiddenNumbers] = {}
    panel, study = finished.data.panel, finished.file.study
    for o, outcome in enumerate(study.outcome):
        measure = panel.measures[outcome.name]
        found = measure.hidden
        if found is None or not found.cells.any() or not measure.is_count:
            continue
        bounds = (found.least, found.most)
        hidden[outcome.name] = HiddenNumbers(cells=int(found.cells.sum()), least=found.least, most=found.most)
        rows += _rows(finished, o, measure, found.cells, None)
        for value in bounds:
            rows += _rows(finished, o, measure, found.cells, value)
    if not hidden:
        return None
    table = DataTable("suppressed", "Hidden small numbers", _COLUMNS, tuple(rows))
    return Annex("suppressed", Suppressed(hidden), (table,))


def _rows(
    finished: Finished, o: int, measure: Measure, is_hidden: Bools, value: int | None
) -> list[tuple[str | float | int | bool | None, ...]]:
    """Return one row a group; `value` stands in for every hidden number, None is the finding."""
    evidence, name = finished.evidence, measure.name
    plan, real = evidence.plan, evidence.real
    if value is not None:
        filled = replace(
            measure,
            values=np.where(is_hidden, float(value), measure.values),
            reasons=np.where(is_hidden, 0, measure.reasons).astype(np.uint8),
        )
        panel = finished.data.panel
        panel = replace(panel, measures={**panel.measures, name: filled})
        data = replace(finished.data, panel=panel)
        plan = make_plan(finished.file, data, finished.result.versions["areaeffect"])
        real = run_programme(plan.machine, [u.areas for u in plan.units])
    claim = finished.file.study.outcome[o].claim
    rows: list[tuple[str | float | int | bool | None, ...]] = []
    for group in groups_of(plan.units, plan.initiatives):
        units = [g for g in group.units if plan.units[g].is_whole and np.isfinite(real[g, o]).all()]
        ratio = float(cf.log_ratio(real[units, o].sum(axis=0), claim)) if units else np.nan
        estimate = float(np.expm1(ratio)) if np.isfinite(ratio) else None
        n = sum(len(plan.units[g].areas) for g in units)
        rows.append((name, group.name, value, estimate, n, len(units)))
    return rows

"""What hidden small numbers could change: the estimate with each at its least and at its most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.document.blocks import Data, Paragraph, Section
from areaeffect.document.chart_tables import in_words
from areaeffect.estimate import counterfactual as cf
from areaeffect.findings.case import groups_of
from areaeffect.findings.plan import make_plan
from areaeffect.placebo.programmes import run_programme
from areaeffect.records import Column, DataTable
from areaeffect.results import Annex

if TYPE_CHECKING:
    from areaeffect.findings.finished import Finished
    from areaeffect.panel import Measure
    from areaeffect.results import Bools, Result


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
            f"{name.replace('_', ' ').capitalize()}: the publisher hides {said.cells:,} numbers "
            f"because they are small; each is between {said.least} and {said.most}. The finding "
            "takes the middle. The table gives the estimate again with every hidden "
            "number at its least and at its most: what lies between is what the hidden numbers "
            "alone leave open."
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

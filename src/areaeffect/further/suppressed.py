"""What hidden small numbers could change: the estimate with each at its least and at its most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.document.blocks import Data, Paragraph, Section
from areaeffect.document.data_words import in_words
from areaeffect.estimate import counterfactual as cf
from areaeffect.findings.describe import groups_of
from areaeffect.findings.plan import make_plan
from areaeffect.panel import REASONS
from areaeffect.placebo.programmes import run_programme
from areaeffect.results import Annex, Column, DataTable
from areaeffect.sources.publishers.releases import find_release
from areaeffect.study.model import PublishedSource

if TYPE_CHECKING:
    from areaeffect.findings.finished import Finished
    from areaeffect.panel import Measure
    from areaeffect.results import Result
    from areaeffect.study.model import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """The numbers of one outcome that are hidden: how many, and what each can be."""

    cells: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Hidden numbers by outcome."""

    outcomes: dict[str, Hidden]


def suppressed_section(_result: Result, annex: Annex[Suppressed]) -> Section:
    """Return the estimates with every hidden number at its least and at its most."""
    blocks: list[Paragraph | Data] = [
        Paragraph(
            f"{name.replace('_', ' ').capitalize()}: the publisher hides {said.cells:,} numbers "
            f"because they are small; each is between {said.least} and {said.most}. The "
            "finding leaves these areas out. The table gives the estimate again with every hidden "
            "number at its least and at its most: what lies between is what the hidden numbers "
            "alone leave open."
        )
        for name, said in sorted(annex.found.outcomes.items())
    ]
    blocks += [Data(in_words(t), t.name) for t in annex.tables]
    return Section("suppressed", "Hidden small numbers", tuple(blocks))


_SUPPRESSED = REASONS.index("suppressed")
_COLUMNS = (
    Column("outcome", "string", "Short name of the outcome"),
    Column("group", "string", "Group of neighbourhoods"),
    Column("taken_as", "integer", "What every hidden number is taken to be; empty: left out"),
    Column("estimate", "number", "Ratio less one; empty where there is none"),
    Column("n_areas", "integer", "Treated areas in it"),
    Column("n_neighbourhoods", "integer", "Neighbourhoods in it"),
)


def suppressed(finished: Finished) -> Annex[Suppressed] | None:
    """Estimate again with every hidden number at its least, and at its most.

    The whole design is made again, because areas that were not covered then are. Point
    estimates only: they bracket what the hidden numbers can do, not chance.

    Returns
    -------
    Annex
        None where no count of the study is hidden within a range that its publisher states.
    """
    rows: list[tuple[str | float | int | bool | None, ...]] = []
    hidden: dict[str, Hidden] = {}
    panel, study = finished.data.panel, finished.file.study
    for o, outcome in enumerate(study.outcome):
        source, measure = study.source[outcome.source], panel.measures[outcome.name]
        cells = int((measure.reasons == _SUPPRESSED).sum())
        bounds = _bounds(source)
        if not cells or not bounds or not measure.is_count:
            continue
        hidden[outcome.name] = Hidden(cells=cells, least=bounds[0], most=bounds[-1])
        rows += _rows(finished, o, measure, None)
        for value in bounds:
            rows += _rows(finished, o, measure, value)
    if not hidden:
        return None
    table = DataTable("suppressed", "Hidden small numbers", _COLUMNS, tuple(rows))
    return Annex("suppressed", Suppressed(hidden), (table,))


def _bounds(source: Source) -> tuple[int, ...]:
    """Return the least and the most that a hidden number can be; empty where no rule says so."""
    return find_release(source.release).hidden if isinstance(source, PublishedSource) else ()


def _rows(
    finished: Finished, o: int, measure: Measure, value: int | None
) -> list[tuple[str | float | int | bool | None, ...]]:
    """Return one row a group; `value` stands in for every hidden number, None leaves them out."""
    evidence, name = finished.evidence, measure.name
    plan, real = evidence.plan, evidence.real
    if value is not None:
        is_hidden = measure.reasons == _SUPPRESSED
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

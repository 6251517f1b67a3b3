"""Plain means before any matching: the areas of the initiatives beside others of the same mix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.document.blocks import Data, Paragraph, Section, SectionPlace
from areaeffect.document.chart_tables import in_words
from areaeffect.findings.case import Finished
from areaeffect.panel import Measure
from areaeffect.records import Column, DataTable
from areaeffect.results import Annex, Bools, Floats, Result, Strings
from areaeffect.study.analysis import PlainMeans
from areaeffect.study.model import Study
from areaeffect.wording.numbers import phrase


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes by which the other areas are matched."""

    by: str
    label: str


def plain_means_section(_result: Result, annex: Annex[Classes]) -> Section:
    """Return the means of the areas beside those of all others with the same mix of classes."""
    text = phrase("plain_means.means_areas", mix=annex.found.label)
    tables = [Data(in_words(t), t.name) for t in annex.tables]
    return Section("plain_means", "Before any matching", (Paragraph(text), *tables), place=SectionPlace.WHO)


_PER = 1000.0
_COLUMNS = (
    Column("what", "string", "Outcome, or further column of a source"),
    Column("unit", "string", "Unit"),
    Column("areas", "integer", "Areas of the initiatives with a value"),
    Column("mean", "number", "Mean of these areas, each counted once"),
    Column("others", "integer", "Other areas with a value, of the same classes"),
    Column("mean_of_others", "number", "Mean of the others, classes weighted as in the areas"),
    Column("without_class", "integer", "Areas of the initiatives without a class, left out"),
)


def plain_means(finished: Finished) -> Annex[Classes] | None:
    """Return unadjusted means of every level outcome; None where the study names no classes."""
    asked = finished.file.study.plain_means
    if asked is None:
        return None
    table = means_table(finished.file.study, asked, finished.data)
    return Annex("plain_means", Classes(asked.by, asked.label), (table,))


def means_table(study: Study, asked: PlainMeans, data: Assembled) -> DataTable:
    """Return a row for every level outcome and every further column asked for.

    A column that is no number has no mean: its cells are empty.
    """
    panel = data.panel
    treated = np.zeros(len(panel.areas), dtype=np.bool_)
    for unit in data.neighbourhoods:
        treated[unit.areas] = True
    classes = _classes(panel.attributes[asked.by])
    rows = [
        (o.title, _unit(o.unit_title, panel.measures[o.name]), _latest(panel.measures[o.name]))
        for o in study.outcome
        if o.claim == "level"
    ]
    rows += [(name, "", _numbers(panel.attributes[name])) for name in asked.also]
    return DataTable(
        "plain_means",
        "Means before any matching",
        _COLUMNS,
        tuple(_row(what, unit, values, classes, treated) for what, unit, values in rows),
    )


def _row(
    what: str, unit: str, values: Floats, classes: Strings, treated: Bools
) -> tuple[str | float | int | None, ...]:
    found = same_mix(values, classes, treated)
    return (what, unit, found.n_treated, found.treated, found.n_others, found.others, found.without_class)


def _unit(unit: str, measure: Measure) -> str:
    return f"{unit} per 1,000" if measure.is_count and measure.exposure is not None else unit


def _latest(measure: Measure) -> Floats:
    """Return each area's number of the latest year: a mean of scores, a rate or sum of counts."""
    values = measure.values[:, -(measure.periods.kind.per_year or 1) :]
    total = np.where(np.isfinite(values).any(axis=1), np.nansum(values, axis=1), np.nan)
    if not measure.is_count:
        return np.asarray(total / np.maximum(np.isfinite(values).sum(axis=1), 1))
    if measure.exposure is None:
        return np.asarray(total)
    known = np.where(measure.exposure > 0, measure.exposure, np.nan)
    return np.asarray(_PER * total / known)


def _classes(texts: Strings) -> Strings:
    """Return classes; the decile of an area that was merged from several is rounded."""
    numbers = _numbers(texts)
    whole = np.isfinite(numbers)
    rounded = np.where(whole, np.rint(np.where(whole, numbers, 0)), 0).astype(np.int64)
    return np.asarray(np.where(whole, rounded.astype(np.str_), texts))


def _numbers(texts: Strings) -> Floats:
    def number(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            return float("nan")

    return np.array([number(str(text)) for text in texts])


@dataclass(frozen=True, slots=True)
class TwoMeans:
    """Two means, and the number of areas behind each."""

    #: treated, others: the means; None where no area has a value.
    treated: float | None
    others: float | None
    #: n_treated, n_others: areas behind them
    n_treated: int
    n_others: int
    without_class: int  # treated areas with a value and without a class; they are in neither mean.


def same_mix(values: Floats, classes: Strings, treated: Bools) -> TwoMeans:
    """Compare treated areas with others, as if the others had the same mix of classes.

    Direct standardisation: the mean of the others is Σ_c (n_c / n) ȳ_c over the classes c of the
    treated areas, n_c of them in class c and ȳ_c the mean of the others there (Rothman, Greenland
    and Lash, Modern Epidemiology, 3rd ed., p. 67). It is a description: nothing says that the
    classes hold all that differs.

    Parameters
    ----------
    values : (n_areas,), NaN where there is none.
    classes : (n_areas,), '' or 'nan' where there is none.
    treated : (n_areas,).
    """
    has = np.isfinite(values)
    known = has & (classes != "") & (classes != "nan")
    mine = known & treated
    names, n = np.unique(classes[mine], return_counts=True)
    rest = known & ~treated & np.isin(classes, names)
    lost = int((has & treated & ~known).sum())
    if not mine.any():
        return TwoMeans(None, None, 0, 0, lost)
    own = float(values[mine].mean())
    means = [values[rest & (classes == name)] for name in names]
    if any(not len(of) for of in means):
        return TwoMeans(own, None, int(mine.sum()), int(rest.sum()), lost)
    mixed = float(sum(k * of.mean() for k, of in zip(n, means, strict=True)) / n.sum())
    return TwoMeans(own, mixed, int(mine.sum()), int(rest.sum()), lost)

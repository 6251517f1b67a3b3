"""What an atlas shows of each area: its names, values to shade the map by, series over time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from areaeffect.assembly.assemble import covariates_of, printed_column
from areaeffect.errors import DataError, StudyError
from areaeffect.panel import Measure
from areaeffect.periods import PeriodKind, kind_of, label, parse_period
from areaeffect.register.places import read_columns, vintage_of
from areaeffect.results import Floats, Ints, Strings
from areaeffect.sources.coverage import SourceTable, align, attribute
from areaeffect.sources.publishers.panel import published_roots
from areaeffect.sources.publishers.tables import read
from areaeffect.study.file import StudyFile
from areaeffect.study.model import Outcome
from areaeffect.study.parts import Window, resolve

if TYPE_CHECKING:
    from shapely import Geometry

    Feature = tuple[int, dict[str, str | int], Geometry]

_PER, _CLASSES = 1_000, 5
#: A larger place has no average in a period in which more of its areas than this are missing.
_MOST_MISSING = 0.1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Layer:
    """One thing the map can be shaded by."""

    key: str  # its name in addresses and files
    group: str  # heading it is listed under
    #: title, unit: in print
    title: str
    unit: str
    note: str = ""  # what a reader must know
    better: str = ""  # 'lower', 'higher' or '' where neither is
    periods: tuple[str, ...] = ("",)  # (n_periods), as written; one empty text where it has one date.
    values: Floats  # (n_areas, n_periods); NaN is missing.

    @property
    def breaks(self) -> tuple[float, ...]:
        """Up to four values between five classes of the latest period, by fifths of its areas."""
        known = self.values[:, -1][~np.isnan(self.values[:, -1])]
        edges = np.quantile(known, np.arange(1, _CLASSES) / _CLASSES) if len(known) else ()
        return tuple(dict.fromkeys(float(f"{edge:.3g}") for edge in edges))


def layers_of(
    file: StudyFile, tables: Mapping[str, SourceTable], measures: Mapping[str, Measure], areas: Strings
) -> tuple[Layer, ...]:
    """Return every layer: outcomes, columns of the study's `[atlas]`, covariates, coverage."""
    study = file.study
    made: list[Layer] = []

    def add(name: str, group: str, title: str, unit: str, values: Floats, **more: Any) -> None:
        made.append(Layer(key=slug(name), group=group, title=title, unit=unit, values=values, **more))

    for outcome in study.outcome:
        measure = measures[outcome.name]
        periods, totals = _by_year(measure)
        if measure.exposure is not None:
            totals = totals / np.where(measure.exposure > 0, measure.exposure, np.nan)[:, None] * _PER
        unit = unit_of(outcome, measure) + (" a year" if measure.is_count and measure.periods.n > 1 else "")
        about = {"better": outcome.better, "periods": periods}
        add(outcome.name, "Outcomes", outcome.title, unit, totals, **about)
    for i, layer in enumerate(study.atlas.layers if study.atlas else ()):
        values = attribute(tables, layer.column, areas)
        if values.dtype.kind != "f":
            fix = "A layer of the map is one number an area."
            raise StudyError(f"'{layer.column}' is text, not numbers.", file.where(f"atlas.layers.{i}"), fix)
        title = layer.label or printed_column(study, layer.column).replace("_", " ")
        add(layer.column, "Deprivation and more", title, layer.unit, values[:, None], better=layer.better)
    covariates, as_of = covariates_of(file, dict(tables), areas)
    for j, covariate in enumerate(study.design.covariates):
        title = printed_column(study, covariate.column).replace("_", " ")
        title += f" ({as_of[j]})" if as_of[j] and as_of[j] not in title else ""
        add(covariate.column, "What benchmark areas are matched on", title, "", covariates[:, [j]])
    note = "Where coverage is low the figures are missing, not zero."
    for outcome in study.outcome:
        observed, axis = measures[outcome.name].observed, measures[outcome.name].periods
        unit = f"per cent of {axis.n} {axis.kind.value}s"
        unit = unit if axis.n > 1 else "100: there is a figure, 0: there is none"
        group, title = "Coverage: where figures were published", f"coverage of {outcome.title}"
        share = observed.mean(axis=1, keepdims=True) * 100
        add(f"coverage-{outcome.name}", group, title, unit, share, note=note)
    return tuple(made)


def _by_year(measure: Measure) -> tuple[tuple[str, ...], Floats]:
    """Return the whole years of a measure and each area's total, or mean of a score, in them.

    A year of which any period is missing is missing: a sum over what is left would be too small.
    """
    periods = measure.periods
    per_year = periods.kind.per_year
    if periods.kind is PeriodKind.NUMBER or per_year in {None, 1}:
        return periods.labels, measure.values
    years = periods.ordinals // per_year
    whole = [int(y) for y in np.unique(years) if (years == y).sum() == per_year]
    if not whole:
        return periods.labels, measure.values
    add = np.sum if measure.is_count else np.mean
    return tuple(map(str, whole)), np.column_stack(
        [add(measure.values[:, years == y], axis=1) for y in whole]
    )


def averages_of(measure: Measure, inside: Ints) -> Floats:
    """Return the average of each larger place in each period: its events by its exposure, or the mean.

    NaN where over a tenth of its areas have no value. `inside` is which place each area lies in, −1 in none.
    """
    weight = np.ones(len(inside)) if measure.exposure is None else measure.exposure
    known = ~np.isnan(measure.values) & (weight > 0)[:, None]
    summed = [
        pd.DataFrame(values)[inside >= 0].groupby(inside[inside >= 0]).sum().to_numpy()
        for values in (
            np.where(known, measure.values, 0.0),
            known * weight[:, None],
            known,
            np.ones(known.shape),
        )
    ]
    sums, bases, counts, sizes = (values.astype(float) for values in summed)
    enough = (counts > 0) & (counts >= (1 - _MOST_MISSING) * sizes)
    factor = _PER if measure.exposure is not None else 1
    return np.where(enough, sums / np.where(bases > 0, bases, 1) * factor, np.nan)


def unit_of(outcome: Outcome, measure: Measure) -> str:
    """Return the unit of an outcome's figures in print."""
    return f"{outcome.unit_title} per 1,000" if measure.exposure is not None else outcome.unit_title


def slug(text: str) -> str:
    """Return a name for addresses and files: lower case, digits, '_' and '-'."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")[:60]


def earliest_start(window: Window, as_of: Sequence[str]) -> str:
    """Return the first start that can be asked: after the first period and all that covariates describe."""
    first = parse_period(window.start, window.kind)
    earliest = 0 if first is None else first + 1
    for text in as_of:
        kind = kind_of(text)
        at = parse_period(text, kind) if kind else None
        if kind is None or at is None or (kind is not window.kind and "number" in {kind, window.kind}):
            continue  # numbers of a table's own have no months
        month = kind.first_month(at + 1)  # the first that the covariate does not describe
        earliest = max(earliest, window.kind.holding(month + window.kind.months - 1))
    return label(earliest, window.kind)


#: What an atlas says of each area beside its own code and name.
INSIDE = ("ward", "authority", "region")
#: Where each is looked up, the first that knows an area counts; codes that did not change between
#: 2011 and 2021 are found in either census's list.
_LOOKUPS = (
    ("ward", "ward_lsoa21", "ward24_name"),
    ("authority", "ward_lsoa21", "ltla24_name"),
    ("authority", "places_lsoa11", "ltla21_name"),
    ("region", "places_lsoa21", "region22_name"),
    ("region", "places_lsoa11", "region21_name"),
)


def place_names(areas: Strings, names: Strings, file: str | None, folder: Path) -> dict[str, Strings]:
    """Return the name of each area and of what it lies in, (n_areas,) each; '' where not known.

    They are those of `file`, a list of the study's own, or of the catalogue where the areas are LSOAs.
    """
    found = {"name": names.astype(object), **{what: np.full(len(areas), "", dtype=object) for what in INSIDE}}
    if file is not None:
        path = resolve(file, folder)
        columns = read_columns(path)
        if "area_code" not in columns:
            fix = f"It needs area_code, and may have name, {', '.join(INSIDE)}."
            raise DataError("the list of places has no column 'area_code'.", str(path), fix)
        order = np.argsort(columns["area_code"], kind="stable")
        for what in found.keys() & columns.keys():
            found[what] = align(columns[what][order], columns["area_code"][order], areas)
    elif vintage_of(areas, folder) is not None:
        roots = published_roots(folder)
        for what, release, column in _LOOKUPS:
            table = read(release, roots, [column])
            known = align(table.texts[column].astype(str), table.areas, areas).astype(object)
            known[np.isin(known, ("nan", "None"))] = ""
            found[what] = np.where(found[what] == "", known, found[what])
            if what == "ward":
                own = align(table.names.astype(str), table.areas, areas).astype(object)
                unnamed = (found["name"] == areas) & (own != "")
                found["name"] = np.where(unnamed, own, found["name"])
        is_wales = np.char.startswith(areas.astype(str), "W")
        found["region"] = np.where((found["region"] == "") & is_wales, "Wales", found["region"])
    return {what: values.astype(str) for what, values in found.items()}


def council_outlines(outlines: Sequence[Geometry], authority: Strings) -> Iterator[Feature]:
    """Return the outline of each council; the slower union is for areas that do not quite share borders."""
    import shapely

    drawn = np.asarray(outlines, dtype=object)
    for i, name in enumerate(sorted(set(map(str, authority)) - {""})):
        try:
            joined = shapely.coverage_union_all(drawn[authority == name])
        except shapely.GEOSException:
            joined = shapely.union_all(drawn[authority == name])
        yield i, {"name": name}, joined


def place_points(
    centres: Floats, outlines: Sequence[Geometry], inside: Mapping[str, Strings]
) -> Iterator[Feature]:
    """Return the name of each ward and council, at a place inside it."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for i, (ward, authority) in enumerate(zip(inside["ward"], inside["authority"], strict=True)):
        found.setdefault(("council", str(authority), ""), []).append(i)
        found.setdefault(("ward", str(ward), str(authority)), []).append(i)
    for n, ((kind, name, _), members) in enumerate(sorted(found.items())):
        if name:
            own = centres[members]
            nearest = members[int(((own - own.mean(axis=0)) ** 2).sum(axis=1).argmin())]
            about: dict[str, str | int] = {"kind": kind, "name": name, "areas": len(members)}
            yield n, about, outlines[nearest].representative_point()

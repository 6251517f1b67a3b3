"""Composite indices: indicators to scores, and what each choice does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from areaeffect.document.page import as_dict, run_of
from areaeffect.errors import DataError
from areaeffect.index.table import IndicatorTable
from areaeffect.records import Column, DataTable, Json, described, table_of
from areaeffect.results import Bools, Floats, Release, Shape
from areaeffect.study.index import Index, IndexFile
from areaeffect.wording.numbers import plural

#: Of the exponential transformation of the English indices of deprivation: a tenth of the areas
#: scores 50 and more, so that being good on one domain hardly cancels being bad on another.
EXPONENTIAL_SCALE = 23.0
EXPONENTIAL_TOP = 100.0
_SEVERAL = 2


def scaled_rank(values: Floats) -> Floats:
    """Rank scaled to (0, 1], 1 for the highest value; equal values share their mean rank.

    Parameters
    ----------
    values : (n_areas,), high is worse; NaN = missing, and stays so.
    """
    from scipy.stats import rankdata

    found = np.full(len(values), np.nan)
    known = np.isfinite(values)
    found[known] = rankdata(values[known]) / max(1, int(known.sum()))
    return found


def exponential(rank: Floats) -> Floats:
    """X = −23 ln(1 − R (1 − exp(−100/23))), from 0 to 100.

    Parameters
    ----------
    rank : R, scaled to (0, 1], 1 for the worst area.

    References
    ----------
    McLennan, Noble, Noble, Plunkett, Wright and Gutacker (2019), The English Indices of
    Deprivation 2019, technical report, appendix on the exponential transformation.
    """
    bottom = 1.0 - np.exp(-EXPONENTIAL_TOP / EXPONENTIAL_SCALE)
    return np.asarray(-EXPONENTIAL_SCALE * np.log1p(-rank * bottom))


def standardise(values: Floats, method: str) -> Floats:
    """Bring an indicator, high is worse, onto the scale of a method.

    Parameters
    ----------
    values : (n_areas,); NaN = missing.
    method : 'exponential', 'rank' (scaled to (0, 1]), 'z-score' or 'none'.
    """
    if method == "none":
        return values
    if method == "z-score":
        spread = float(np.nanstd(values))
        return (values - np.nanmean(values)) / (spread if spread > 0 else 1.0)
    rank = scaled_rank(values)
    return exponential(rank) if method == "exponential" else rank


def shrunken(counts: Floats, of: Floats, authority: npt.NDArray[Any]) -> Floats:
    """Ratios, the uncertain ones drawn towards that of their authority, on the logit scale.

    An area's logit m and the authority's M are weighted, w m + (1 − w) M, with
    w = (1/s²) / (1/s² + 1/t²): s the standard error of m, t² the variance of the logits of the
    authority's areas. Where an authority has one area, it stays as it is.

    Parameters
    ----------
    counts, of : (n_areas,), r out of n; NaN = missing.
    authority : (n_areas,), codes.

    Notes
    -----
    Empirical logits with a half added to both cells, and their variance
    (n + 1)(n + 2) / (n (r + 1)(n − r + 1)).

    References
    ----------
    Scottish Indices of Deprivation 2003, appendix 1, equations 1 to 7; the English indices use
    the same technique.
    """
    groups, group = np.unique(authority.astype(str), return_inverse=True)
    known = np.isfinite(counts) & np.isfinite(of) & (of > 0) & (counts <= of)
    r, n = np.where(known, counts, 0.0), np.where(known, of, 0.0)

    def summed(values: Floats) -> Floats:
        own = np.where(known, values, 0.0)
        return np.bincount(group, weights=own, minlength=len(groups)).astype(np.float64)

    logit = np.log((r + 0.5) / (n - r + 0.5))
    with np.errstate(divide="ignore", invalid="ignore"):
        error = (n + 1) * (n + 2) / (n * (r + 1) * (n - r + 1))
        size = summed(np.ones_like(r))
        mean = summed(logit) / size
        between = summed((logit - mean[group]) ** 2) / (size - 1)
        total = np.log((summed(r) + 0.5) / (summed(n) - summed(r) + 0.5))
        weight = between[group] / (between[group] + error)  # (1/s2) / (1/s2 + 1/t2)
    weight = np.where(size[group] < _SEVERAL, 1.0, weight)
    drawn = weight * logit + (1 - weight) * total[group]
    return np.where(known, 1.0 / (1.0 + np.exp(-drawn)), np.nan)


def ranks(score: Floats) -> Floats:
    """Rank of each area, 1 the worst; equal scores share the better place; NaN without a score."""
    from scipy.stats import rankdata

    found = np.full(len(score), np.nan)
    known = np.isfinite(score)
    found[known] = rankdata(-score[known], method="min")
    return found


def deciles(rank: Floats) -> Floats:
    """Tenth of the ranked areas, 1 the worst."""
    n = int(np.isfinite(rank).sum())
    return np.ceil(rank * 10 / max(1, n))


def worst(rank: Floats, share: float) -> Bools:
    """Areas in the worst share of those that have a rank."""
    n = int(np.isfinite(rank).sum())
    return np.nan_to_num(rank, nan=np.inf) <= share * n


def left_behind(need: Floats, deprivation: Floats, share: float) -> Bools:
    """Areas in the worst share on both, among those that have both.

    Parameters
    ----------
    need, deprivation : (n_areas,), high is worse; NaN = missing.
    share : of areas, on each.
    """
    both = np.isfinite(need) & np.isfinite(deprivation)
    return np.logical_and(
        worst(ranks(np.where(both, need, np.nan)), share),
        worst(ranks(np.where(both, deprivation, np.nan)), share),
    )


def compared(base: Floats, other: Floats) -> tuple[float, int, int, float]:
    """Hold another version of an index against the first.

    Parameters
    ----------
    base, other : (n_areas,), scores.

    Returns
    -------
    Spearman's correlation of the areas that have both scores; how many areas of the first's worst
    tenth are not in the other's; how many areas that is a tenth of; the largest change of rank.
    """
    both = np.isfinite(base) & np.isfinite(other)
    first, second = scaled_rank(base[both]), scaled_rank(other[both])
    constant = len(first) < _SEVERAL or np.ptp(first) == 0 or np.ptp(second) == 0
    correlation = float("nan") if constant else float(np.corrcoef(first, second)[0, 1])
    inside = worst(ranks(base), 0.1)
    left = inside & ~worst(ranks(other), 0.1)
    moved = np.abs(ranks(base[both]) - ranks(other[both]))
    return correlation, int(left.sum()), int(inside.sum()), float(moved.max(initial=0.0))


def scores(file: IndexFile, table: IndicatorTable) -> tuple[Floats, Floats]:
    """Return standardised indicators (n_areas, n_indicators) and scores (n_areas,).

    Raises
    ------
    DataError
        Where no area has a score.
    """
    index = file.index
    standard = standardised(index, table)
    score = weighted(index, standard, [i.weight for i in index.indicator])
    if not np.isfinite(score).any():
        raise DataError(
            "no area has every indicator, so none has a score.",
            str(file.file.path),
            "Their codes may be of different vintages.",
        )
    return standard, score


def standardised(
    index: Index, table: IndicatorTable, method: str | None = None, *, shrink: bool = True
) -> Floats:
    """Return every indicator, high is worse, on a method's scale, (n_areas, n_indicators)."""
    columns = []
    for k, indicator in enumerate(index.indicator):
        values = table.values[:, k]
        if indicator.shrink and shrink:
            values = shrunken(table.counts[indicator.name], table.of[indicator.name], table.authority)
        sign = 1.0 if indicator.worse == "high" else -1.0
        columns.append(standardise(sign * values, method or index.index.standardise))
    return np.column_stack(columns)


def weighted(index: Index, standard: Floats, weights: Sequence[float]) -> Floats:
    """Return scores by some weights, (n_areas,); NaN where an area lacks an indicator that counts.

    The weighted sum is divided by the total that the index names, in proportion to its own weights.
    """
    own = np.array([i.weight for i in index.indicator])
    given = np.array(weights)
    total = given.sum() * (index.index.weights_total or own.sum()) / own.sum()
    kept = given > 0
    return np.asarray(standard[:, kept] @ given[kept] / total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One choice made otherwise, and what that does."""

    choice: str = described("Which choice")
    alternative: str = described("What was chosen instead")
    correlation: float = described("Spearman's rank correlation with the index")
    left_worst: int = described("Areas of its worst tenth that leave it")
    worst: int = described("Areas in its worst tenth")
    largest_move: float = described("Largest change of a rank")
    left_behind: int | None = described("Areas left behind; empty where not asked")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class IndexResult:
    """A composite index."""

    plan: Json  # the index file as read
    #: areas, names: (n_areas,)
    areas: npt.NDArray[np.str_]
    names: npt.NDArray[np.str_]
    council: npt.NDArray[np.str_]  # (n_areas,), name of the council; empty text where it is not known
    shapes: tuple[Shape, ...]  # outlines of the areas in metres; none without boundaries
    #: score, rank, decile: (n_areas,), high is worse, 1 is worst; NaN without a score.
    score: Floats
    rank: Floats
    decile: Floats
    standard: Floats  # (n_areas, n_indicators), the standardised indicators
    behind: Bools | None  # (n_areas,), left behind; None where that was not asked.
    variants: tuple[Variant, ...]  # every choice made otherwise
    #: releases, notes: files read, and remarks
    releases: tuple[Release, ...]
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is called."""
        return str(self.plan["index"]["title"])

    def text(self) -> str:
        """Return what the command prints."""
        n = int(np.isfinite(self.score).sum())
        lines = [f"{self.title}: {plural(n, 'area')} with a score, of {len(self.areas):,}."]
        if self.behind is not None:
            lines.append(f"Left behind: {plural(int(self.behind.sum()), 'area')}.")
        shaky = sorted(self.variants, key=lambda v: v.correlation)[:3]
        lines += [
            f"  {v.choice}, {v.alternative}: rank correlation {v.correlation:.3f}; "
            f"{v.left_worst:,} of {v.worst:,} leave the worst tenth"
            for v in shaky
        ]
        return "\n".join(lines)

    def to_dict(self) -> Json:
        """Return plain JSON values: plan, releases, notes and the rows of every table."""
        return as_dict(run_of(self.plan, self.releases, self.notes), self.tables())

    def tables(self) -> tuple[DataTable, ...]:
        """Return the scores and the sensitivity table."""
        indicators = [i["name"] for i in self.plan["indicator"]]
        columns = [
            Column("area_code", "string", "Area"),
            Column("area_name", "string", "Its name, or its code again"),
            Column("council", "string", "The council it lies in; empty where that is not known"),
            Column("score", "number", "Score: high is worse; empty where the area has none"),
            Column("rank", "integer", "Rank, 1 is worst"),
            Column("decile", "integer", "Tenth of the ranked areas, 1 is worst"),
            *(Column(f"{n}_standardised", "number", f"{n}: high is worse") for n in indicators),
        ]
        if self.behind is not None:
            columns.append(Column("is_left_behind", "boolean", "In the worst share on need and deprivation"))

        def cells(values: Floats, kind: type[int] | type[float]) -> list[float | int | None]:
            return [kind(v) if np.isfinite(v) else None for v in values]

        held: list[list[Any]] = [self.areas.tolist(), self.names.tolist(), self.council.tolist()]
        held += [cells(self.score, float), cells(self.rank, int), cells(self.decile, int)]
        held += [cells(values, float) for values in self.standard.T]
        held += [] if self.behind is None else [self.behind.tolist()]
        return (
            DataTable("index", self.title, tuple(columns), tuple(zip(*held, strict=True))),
            table_of("sensitivity", "What each choice does to the ranks", Variant, self.variants),
        )

"""Composite indices: indicators to scores, and what each choice does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError, Problem
from areaeffect.index.table import IndicatorTable
from areaeffect.results import Bools, Floats
from areaeffect.study.index import Index, IndexFile

#: Of the exponential transformation of the English indices of deprivation: a tenth of the areas
#: scores 50 and more, so that being good on one domain hardly cancels being bad on another.
EXPONENTIAL_SCALE = 23.0
EXPONENTIAL_TOP = 100.0
#: With rule 'reweight', an area needs indicators of at least this share of the weight.
LEAST_WEIGHT = 0.5
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


def combine(
    standard: Floats, weights: Floats, total: float, missing: str, authority: npt.NDArray[Any] | None = None
) -> Floats:
    """Add standardised indicators up, (n_areas,); NaN where an area has no score.

    Parameters
    ----------
    standard : (n_areas, n_indicators), high is worse; NaN = missing.
    weights : (n_indicators,).
    total : what the weighted sum is divided by.
    missing : 'no score'; 'reweight' (over the indicators an area has, if they carry half of the
        weight); 'authority mean' (that of the areas around it).
    authority : (n_areas,), for 'authority mean'.
    """
    known = np.isfinite(standard)
    if missing == "authority mean" and authority is not None and not known.all():
        standard = _filled(standard, authority)
        known = np.isfinite(standard)
    values = np.where(known, standard, 0.0) @ weights / total
    share = known @ weights / weights.sum()
    if missing == "reweight":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(share >= LEAST_WEIGHT, values / share, np.nan)
    return np.where(known.all(axis=1), values, np.nan)


def _filled(standard: Floats, authority: npt.NDArray[Any]) -> Floats:
    """Put the mean of an area's authority where it lacks an indicator."""
    groups, group = np.unique(authority.astype(str), return_inverse=True)
    filled = standard.copy()
    for k in range(standard.shape[1]):
        known = np.isfinite(standard[:, k])
        n = np.bincount(group[known], minlength=len(groups))
        sums = np.bincount(group[known], weights=standard[known, k], minlength=len(groups))
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(n > 0, sums / n, np.nan)
        filled[~known, k] = mean[group[~known]]
    return filled


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


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices an index rests on, one value an indicator where they are tuples."""

    weights: tuple[float, ...]
    methods: tuple[str, ...]
    shrink: tuple[bool, ...]
    missing: str


def scores(file: IndexFile, table: IndicatorTable) -> tuple[Floats, Floats]:
    """Return standardised indicators (n_areas, n_indicators) and scores (n_areas,).

    Raises
    ------
    DataError
        Where no area has a score.
    """
    base = choices_of(file.index)
    standard = standardised(file.index, table, base)
    score = _score(file.index, table, base, standard)
    if not np.isfinite(score).any():
        raise DataError(
            Problem(
                "no area has every indicator, so none has a score.",
                str(file.file.path),
                'Their codes may be of different vintages; or set missing = "reweight".',
            )
        )
    return standard, score


def choices_of(index: Index) -> Choices:
    """Return the choices an index file makes."""
    part = index.index
    return Choices(
        tuple(i.weight for i in index.indicator),
        tuple(i.standardise or part.standardise for i in index.indicator),
        tuple(i.shrink for i in index.indicator),
        part.missing,
    )


def standardised(index: Index, table: IndicatorTable, choices: Choices) -> Floats:
    """Return every indicator, high is worse, on its method's scale, (n_areas, n_indicators)."""
    columns = []
    for k, indicator in enumerate(index.indicator):
        values = table.values[:, k]
        if choices.shrink[k]:
            counts, of = table.counts[indicator.name], table.of[indicator.name]
            values = shrunken(counts, of, table.authority)
        sign = 1.0 if indicator.worse == "high" else -1.0
        columns.append(standardise(sign * values, choices.methods[k]))
    return np.column_stack(columns)


def _score(index: Index, table: IndicatorTable, choices: Choices, standard: Floats) -> Floats:
    weights = np.array(choices.weights)
    scale = (index.index.weights_total or sum(i.weight for i in index.indicator)) / sum(
        i.weight for i in index.indicator
    )
    total = float(weights.sum()) * scale
    return combine(standard, weights, total, choices.missing, table.authority)

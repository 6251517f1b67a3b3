"""A scale from 0 to 100, the mean of items that are brought onto it first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.results import Floats


def scale_scores(
    answers: Floats,
    lowest: Sequence[float],
    highest: Sequence[float],
    reverse: Sequence[bool],
    least_items: int,
) -> Floats:
    """Return each respondent's score: the mean of the answered items, each from 0 to 100.

    Parameters
    ----------
    answers : (n_respondents, n_items); NaN is no answer.
    lowest, highest : (n_items,), ends of each item's scale.
    reverse : (n_items,), whether the lower end is the better one.
    least_items : answers that a respondent needs.

    Returns
    -------
    (n_respondents,); NaN where too few items were answered.
    """
    low, high = np.asarray(lowest, dtype=np.float64), np.asarray(highest, dtype=np.float64)
    share = (answers - low) / (high - low)
    share = np.where(np.asarray(reverse, dtype=bool), 1.0 - share, share)
    answered = np.isfinite(share)
    enough = answered.sum(axis=1) >= max(least_items, 1)
    total = np.where(answered, share, 0.0).sum(axis=1)
    mean = total / np.maximum(answered.sum(axis=1), 1)
    return np.asarray(np.where(enough, 100.0 * mean, np.nan))


def reliability(answers: Floats, reverse: Sequence[bool]) -> float | None:
    """Return Cronbach's alpha of the items over respondents who answered all of them.

    Cronbach (1951), doi 10.1007/BF02310555, equation 2. None for fewer than two items or
    respondents, or where nothing varies.
    """
    whole = answers[np.isfinite(answers).all(axis=1)]
    n_items = answers.shape[1]
    if n_items < 2 or len(whole) < 2:  # noqa: PLR2004  # of one there is no variance
        return None
    signed = np.where(np.asarray(reverse, dtype=bool), -whole, whole)
    total = float(signed.sum(axis=1).var(ddof=1))
    if total == 0:
        return None
    return float(n_items / (n_items - 1) * (1 - signed.var(axis=0, ddof=1).sum() / total))

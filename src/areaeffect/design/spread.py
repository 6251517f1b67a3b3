"""Standard deviations that no single area makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.results import Floats

#: Fewer areas than this have no outlier that differs clearly from the rest.
_FEWEST = 10
_MOST_SHARE, _TIMES_FARTHER = 0.02, 10.0


def spread_of(values: Floats) -> Floats:
    """Return the standard deviation of each column, without areas that outweigh all the others.

    The plain standard deviation, except where a few areas (at most one in fifty) each weigh more in
    the sum of squares than all the rest together and lie ten times as far from the middle as any
    of the rest: a total among areas or a mistyped cell does. Those are left out.

    Parameters
    ----------
    values : (n, p).

    Returns
    -------
    (p,).
    """
    spread = np.asarray(values.std(axis=0), dtype=np.float64)
    n = len(values)
    if n < _FEWEST:
        return spread
    most = max(1, int(_MOST_SHARE * n))
    for k in range(values.shape[1]):
        away = np.abs(values[:, k] - np.median(values[:, k]))
        order = np.argsort(-away, kind="stable")
        square = away[order] ** 2
        m = np.arange(1, most + 1)
        share = np.cumsum(square)[:most] / max(float(square.sum()), np.finfo(float).tiny)
        apart = away[order][:most] >= _TIMES_FARTHER * away[order][1 : most + 1]
        outweigh = np.flatnonzero((share > m / (m + 1)) & apart)
        if len(outweigh):
            rest = np.delete(values[:, k], order[: m[outweigh[-1]]])
            spread[k] = rest.std() if rest.std() > 0 else spread[k]
    return spread

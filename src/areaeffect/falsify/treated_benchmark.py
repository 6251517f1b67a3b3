"""What a finding would be if some of the benchmark areas were in fact treated.

With R = (1 + theta) / (1 + s theta) the ratio found when a share s of what is expected comes from
areas that had the same effect theta, theta = (R - 1) / (1 - s R). The effect is then larger than
it looked, so that this alone never turns an effect into none; it can turn `little difference`. The
other way round, `rise_needed` is how much those areas would have had to change by themselves for
the whole difference to be theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.results import Floats, Ints


def shares_of_heaviest(parts: Floats) -> Floats:
    """Return the share of what is expected that comes from the k heaviest areas.

    Parameters
    ----------
    parts : (m,), weight times outcome of each benchmark area, or its weight for scores.

    Returns
    -------
    (m,), for k = 1..m.
    """
    ordered = -np.sort(-parts)
    return np.asarray(np.cumsum(ordered) / ordered.sum())


def effect_if_treated(estimate: float, share: float, *, is_ratio: bool) -> float:
    """Return the effect that would give this estimate if the share had it too.

    Parameters
    ----------
    estimate : a fraction for ratios (-0.2: 20% fewer), else a difference.
    share : of what is expected.
    is_ratio : whether the estimate is a ratio.

    Returns
    -------
    The effect; infinite where so large a share cannot have had it.
    """
    left = 1.0 - share * (1.0 + estimate) if is_ratio else 1.0 - share
    return estimate / left if left > 0 else float(np.copysign(np.inf, estimate))


def rise_needed(estimate: float, share: float) -> float:
    """Return the change of a share of what is expected that would give this ratio by itself.

    0.8 says that those areas would have had to stand 80% above what they were expected to be.
    It is over -1: none can fall below nothing.
    """
    return (1.0 / (1.0 + estimate) - 1.0) / share


def several(n_areas: int) -> Ints:
    """Return the numbers of areas that are tried: 1, 5, 10, a quarter, a half of all."""
    tried = {1, 5, 10, n_areas // 4, n_areas // 2}
    return np.array(sorted(k for k in tried if 1 <= k <= n_areas), dtype=np.int64)

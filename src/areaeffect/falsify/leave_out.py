"""Whether a finding rests on one neighbourhood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.results import Bools, Floats


def turns(whole: Floats, without: Floats) -> Bools:
    """Tell without which neighbourhood a finding would read otherwise.

    Parameters
    ----------
    whole : (3,), estimate and ends of its interval.
    without : (n, 3), the same without each neighbourhood.

    Returns
    -------
    (n,): the estimate changes sign while either interval leaves zero out, or only one of both
    intervals leaves zero out. Two estimates on either side of zero whose intervals both hold it
    say the same.
    """
    before = bool(_leaves_out(whole))
    after = _leaves_out(without)
    flips = np.sign(without[:, 0]) != np.sign(whole[0])
    return np.asarray((after != before) | (flips & (after | before)))


def _leaves_out(rows: Floats) -> Bools:
    return np.asarray((rows[..., 1] > 0) | (rows[..., 2] < 0))

"""The comparison pool: every area, whether it may serve as a benchmark area, and if not why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.panel import Graph
    from areaeffect.results import Bools, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Eligible areas, and the first reason why each other one is left out.

    Parameters
    ----------
    eligible : (n_areas,).
    reasons : (n_areas,), empty where eligible.
    """

    eligible: Bools
    reasons: tuple[str, ...]


def make_pool(
    n_areas: int,
    treated: Ints,
    others: Ints,
    exclusions: Sequence[tuple[Bools, str]],
    *,
    near: Graph | None,
    buffer_km: float,
    contiguity: Graph | None,
    smallest: int,
) -> Pool:
    """Apply the pool's rules in order; the first that leaves an area out is its reason.

    Parameters
    ----------
    n_areas : areas in the panel.
    treated, others : areas of the studied initiatives, and of others in the register.
    exclusions : (mask, reason) pairs from coverage, covariates and the study.
    near : areas within the buffer of each other; None without boundaries.
    buffer_km : the buffer, for the reason's wording.
    contiguity : areas that touch; None without boundaries.
    smallest : areas in the smallest neighbourhood: one that could not be part of a
        neighbourhood of that size is not like a treated area.
    """
    reasons = np.full(n_areas, "", dtype=object)

    def leave_out(mask: Bools, reason: str) -> None:
        reasons[mask & (reasons == "")] = reason

    leave_out(_mask(treated, n_areas), "treated")
    leave_out(_mask(others, n_areas), "in another initiative of the register")
    for mask, reason in exclusions:
        leave_out(mask, reason)
    if near is not None:
        around = near.of_any(np.concatenate([treated, others]))
        leave_out(_mask(around, n_areas), f"within {buffer_km:g} km of a treated area")
    if contiguity is not None:
        room = contiguity.component_sizes(reasons == "")
        leave_out(
            (room > 0) & (room < smallest),
            f"isolated: could not be part of a neighbourhood of {smallest} areas",
        )
    return Pool(reasons == "", tuple(str(r) for r in reasons))


def _mask(positions: Ints, n_areas: int) -> Bools:
    mask = np.zeros(n_areas, dtype=bool)
    mask[positions] = True
    return mask

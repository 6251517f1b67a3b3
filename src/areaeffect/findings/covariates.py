"""Covariates that are constant, redundant, or not computable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.design.programme import ROUNDING
from areaeffect.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.panel import Panel
    from areaeffect.results import Bools, Floats
    from areaeffect.study.file import StudyFile

#: Larger numbers overflow when squared and added up.
_LARGEST = 1e100
#: A covariate that others predict to this share of its deviation follows from them.
_FOLLOWS = 1e-6
_DROP = "Drop it from `design.covariates`."


def refuse_useless_covariates(file: StudyFile, panel: Panel, rows: Bools) -> None:
    """Look at the covariates of the areas that count.

    Parameters
    ----------
    rows : (n_areas,), treated and eligible areas.

    Raises
    ------
    DataError
        Where a number is too large to compute with, or a covariate is constant or follows from
        those before it: what it says would count never, or more than once, and nothing in the
        findings would show it.
    """
    values = panel.covariates[rows]
    problems = [
        Problem(what, file.where(f"design.covariates.{k}"), fix)
        for k, (what, fix) in sorted(_faults(panel.covariate_names, values).items())
    ]
    if problems:
        raise DataError(problems)


def _faults(names: Sequence[str], values: Floats) -> dict[int, tuple[str, str]]:
    """Return what is wrong with each covariate, and what to do; nothing where all are sound."""
    found: dict[int, tuple[str, str]] = {}
    for k, name in enumerate(names):
        if (np.abs(values[:, k]) > _LARGEST).any():
            what = f"'{name}' holds numbers beyond {_LARGEST:g}, too large to compute with."
            found[k] = (what, "Correct them, or leave them blank where they are not known.")
    if found:
        return found
    sound: list[str] = []
    kept = np.ones((len(values), 1))
    for k, name in enumerate(names):
        own = values[:, k] - values[:, k].mean()
        spread = float(own.std())
        if spread <= ROUNDING * float(np.abs(values[:, k]).max()):
            what = f"'{name}' is the same in all areas that count: nothing can be matched on it."
            found[k] = (what, _DROP)
            continue
        own = own / spread
        if sound and _left(kept, own) < _FOLLOWS:
            what = (
                f"'{name}' follows from {', '.join(sound)}: what they share would count more than "
                "once when alike areas are looked for."
            )
            found[k] = (what, _DROP)
            continue
        kept = np.column_stack([kept, own])
        sound.append(f"'{name}'")
    return found


def _left(others: Floats, own: Floats) -> float:
    """Return the standard deviation that other columns leave unexplained."""
    slope, *_ = np.linalg.lstsq(others, own, rcond=None)
    return float((own - others @ slope).std())

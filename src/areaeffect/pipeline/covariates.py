"""Covariates that tell nothing apart, tell it twice, or cannot be computed with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem

if TYPE_CHECKING:
    from areaeffect.panel import Panel
    from areaeffect.results import Bools, Floats
    from areaeffect.study_file import StudyFile

#: Larger numbers overflow when squared and added up.
_LARGEST = 1e100
#: A covariate that others predict to this share of its deviation follows from them.
_FOLLOWS = 1e-6


def covariate_warnings(file: StudyFile, panel: Panel, rows: Bools) -> tuple[str, ...]:
    """Look at the covariates of the areas that count.

    Parameters
    ----------
    rows : (n_areas,), treated and eligible areas.

    Returns
    -------
    A sentence on each covariate that is constant, or follows from those before it.

    Raises
    ------
    DataError
        Where a number is too large to compute with.
    """
    values = panel.covariates[rows]
    problems = [
        Problem(
            f"'{name}' holds numbers beyond {_LARGEST:g}, too large to compute with.",
            file.where(f"design.covariates.{k}"),
            "Correct them, or leave them blank where they are not known.",
        )
        for k, name in enumerate(panel.covariate_names)
        if (np.abs(values[:, k]) > _LARGEST).any()
    ]
    if problems:
        raise DataError(problems)
    said: list[str] = []
    names: list[str] = []
    kept = np.ones((len(values), 1))
    for k, name in enumerate(panel.covariate_names):
        own = values[:, k] - values[:, k].mean()
        spread = float(own.std())
        if spread <= _FOLLOWS * max(float(np.abs(values[:, k]).max()), 1e-300):
            said.append(
                f"'{name}' is the same in all areas that count, so nothing is matched on it."
            )
            continue
        own = own / spread
        if names and _left(kept, own) < _FOLLOWS:
            said.append(
                f"'{name}' follows from {', '.join(names)}: what they share counts more than once "
                "when alike areas are looked for. Drop it."
            )
            continue
        kept = np.column_stack([kept, own])
        names.append(f"'{name}'")
    return tuple(said)


def _left(others: Floats, own: Floats) -> float:
    """Return the standard deviation that other columns leave unexplained."""
    slope, *_ = np.linalg.lstsq(others, own, rcond=None)
    return float((own - others @ slope).std())

"""Figures of larger areas: one figure a local authority cannot differ between its LSOAs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.sources.releases import GEOGRAPHY_NAMES

if TYPE_CHECKING:
    from areaeffect.panel import Strings
    from areaeffect.results import Floats
    from areaeffect.sources.published import PublishedTable
    from areaeffect.sources.releases import Geography, PublishedRelease


def refuse_as_outcome(
    release: PublishedRelease, column: str, areas: Geography, where: str = ""
) -> Problem | None:
    """Return why a column cannot be an outcome of a study of such areas; None where it can.

    Parameters
    ----------
    release : the release the outcome names.
    column : its column.
    areas : what one area of the study is.
    where : place in the study file.
    """
    if release.geography == areas:
        return None
    one, _ = GEOGRAPHY_NAMES[release.geography]
    own, smaller = GEOGRAPHY_NAMES[areas]
    return Problem(
        f"'{column}' of '{release.id}' is one figure a {one}. It cannot differ between the "
        f"{smaller} inside a {one}, so it says nothing about a neighbourhood against its "
        "benchmark areas.",
        where,
        f"Use it as a covariate, or take an outcome that is published by {own}.",
    )


def covariate_label(release: PublishedRelease, label: str, areas: Geography) -> str:
    """Return the name in print of a covariate, with the larger area it describes."""
    if release.geography == areas:
        return label
    return f"{label} (of the {GEOGRAPHY_NAMES[release.geography][0]})"


def spread(table: PublishedTable, column: str, larger: Strings, period: str = "") -> Floats:
    """Give each area the figure of the larger area it lies in.

    Parameters
    ----------
    table : a release of larger areas.
    column : which of its columns.
    larger : (n_areas,), code of the larger area that each area lies in.
    period : which period, as `Periods.labels` writes it; empty where there is none.

    Returns
    -------
    (n_areas,), NaN where the larger area has no value.

    Raises
    ------
    DataError
        An unknown period, or no code in common (a list of another year).
    """
    labels = table.periods.labels if table.periods else ("",)
    if period not in labels:
        raise DataError(
            Problem(
                f"'{table.release.id}' has no period '{period}'.",
                "",
                did_you_mean(period, labels) or f"It runs from {labels[0]} to {labels[-1]}.",
            )
        )
    at = np.minimum(np.searchsorted(table.areas, larger), len(table.areas) - 1)
    found = table.areas[at] == larger
    if not found.any():
        raise DataError(
            Problem(
                f"no area lies in a {GEOGRAPHY_NAMES[table.release.geography][0]} of "
                f"'{table.release.id}'.",
                "",
                "Codes change when authorities merge: use a lookup of the same year.",
            )
        )
    return np.where(found, table.values[column][at, labels.index(period)], np.nan)

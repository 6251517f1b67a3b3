"""Figures of larger areas: one figure a local authority cannot differ between its LSOAs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.panel import REASONS
from areaeffect.sources.publishers.releases import GEOGRAPHY_NAMES

if TYPE_CHECKING:
    from areaeffect.panel import Strings
    from areaeffect.sources.publishers.releases import Geography, PublishedRelease
    from areaeffect.sources.publishers.tables import PublishedTable


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


def spread(
    table: PublishedTable, areas: Strings, names: Strings, larger: Strings
) -> PublishedTable:
    """Give each area the figures of the larger area it lies in.

    Parameters
    ----------
    table : a release of larger areas.
    areas, names : (n_areas,), codes and names, ascending by code.
    larger : (n_areas,), code of the larger area that each lies in.

    Returns
    -------
    PublishedTable
        On the areas given; missing with reason `no_row` where the larger area is not in the
        table. For covariates only: `refuse_as_outcome`.

    Raises
    ------
    DataError
        No code in common (a list of another year, another country).
    """
    one, _ = GEOGRAPHY_NAMES[table.release.geography]
    at = np.minimum(np.searchsorted(table.areas, larger), len(table.areas) - 1)
    found = table.areas[at] == larger
    if not found.any():
        raise DataError(
            Problem(
                f"no area lies in a {one} of this release.",
                table.release.id,
                "Codes change when authorities merge: use a lookup of the same year.",
            )
        )
    no_row = np.uint8(REASONS.index("no_row"))
    return replace(
        table,
        areas=areas,
        names=names,
        values={c: np.where(found[:, None], v[at], np.nan) for c, v in table.values.items()},
        reasons={c: np.where(found[:, None], r[at], no_row) for c, r in table.reasons.items()},
        texts={c: np.where(found, t[at], "") for c, t in table.texts.items()},
        notes=(*table.notes, f"{table.release.id}: each area has the figure of its {one}."),
    )

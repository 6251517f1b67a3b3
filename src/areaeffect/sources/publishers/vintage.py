"""Published tables of one census vintage brought to another, with the publishers' lookups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from areaeffect.errors import DataError
from areaeffect.geography.codes import Lookup, load_lookup
from areaeffect.geography.vintages import Weights, convert_counts, convert_rates
from areaeffect.panel import REASONS, Strings
from areaeffect.results import Floats
from areaeffect.sources.publishers.releases import Roots, find_release, is_here, locate
from areaeffect.sources.publishers.tables import PublishedTable, Reasons, read

VINTAGES = ("lsoa01", "lsoa11", "lsoa21")
#: Releases whose column `residents` holds those of each vintage's areas, and how they are
#: called: the first that is here.
RESIDENTS = {
    "lsoa11": {
        "population_census_2011": "residents of Census 2011",
        "population_mid_year": "residents of the first mid-year estimate",
    },
    "lsoa21": {
        "census_2021_residents": "residents of Census 2021",
        "census_2021_ethnic_group": "residents of Census 2021",
    },
}
_BOUNDARY_CHANGE = np.uint8(REASONS.index("boundary_change"))


def residents(vintage: str, root: Roots) -> Weights | None:
    """Return the residents of a vintage's areas; None where no release here holds them."""
    for release_id, name in RESIDENTS.get(vintage, {}).items():
        if is_here(find_release(release_id), root):
            table = read(release_id, root, ["residents"])
            return Weights(name, table.areas, table.values["residents"][:, 0])
    return None


def bring_to(table: PublishedTable, vintage: str, root: Roots) -> PublishedTable:
    """Bring a table to a later census vintage, 2001 → 2011 → 2021.

    Parameters
    ----------
    table : of LSOAs.
    vintage : one of `VINTAGES`, not before the table's own.
    root : folders of fetched files, with the lookups and the censuses' residents.

    Returns
    -------
    PublishedTable
        Counts divided by residents where areas split, to the last unit; rates, scores, shares,
        ranks and deciles as means weighted by residents where areas merged, and as they were in
        each part of a split area; texts where all parts agree. Areas that changed irregularly
        are missing with reason `boundary_change`, and named in the notes.

    Raises
    ------
    DataError
        A table of larger areas, an earlier vintage, or a lookup that is not here.
    """
    own = table.release.vintage
    if own not in VINTAGES or vintage not in VINTAGES:
        raise DataError(
            f"areas of '{own}' cannot be brought to '{vintage}'.",
            table.release.id,
            f"Vintages: {', '.join(VINTAGES)}.",
        )
    first, last = VINTAGES.index(own), VINTAGES.index(vintage)
    if last < first:
        raise DataError(
            f"areas of {own} are newer than {vintage}; tables are only brought forward.",
            table.release.id,
            f'Work with vintage = "{own}".',
        )
    for old, new in zip(VINTAGES[first:last], VINTAGES[first + 1 : last + 1], strict=True):
        lookup = lookup_of(f"lookup_{old}_{new}", root)
        table = _step(table, lookup, residents(old, root), residents(new, root), new)
    return table


def lookup_of(release_id: str, root: Roots) -> Lookup:
    """Read the pairs of two vintages, as the publisher or as a copy has them."""
    ((file, path),) = locate(find_release(release_id), root)
    return load_lookup(path, file.area, file.value, file.category)


def _step(
    table: PublishedTable, lookup: Lookup, of_old: Weights | None, of_new: Weights | None, vintage: str
) -> PublishedTable:
    row, targets, target = _pairs(table.areas, lookup)
    irregular = np.unique(lookup.new[np.isin(lookup.old, table.areas) & (lookup.change == "X")])
    areas = np.unique(np.concatenate([targets, irregular]))
    at = np.searchsorted(areas, targets)
    notes: dict[str, None] = dict.fromkeys(table.notes)
    kinds = {c.name: c.kind for c in table.release.columns}
    values: dict[str, Floats] = {}
    reasons: dict[str, Reasons] = {}
    for name, old in table.values.items():
        if kinds.get(name) == "count":
            whole = bool((old[np.isfinite(old)] == np.floor(old[np.isfinite(old)])).all())
            converted = convert_counts(old, table.areas, lookup, of_new, whole=whole)
        else:
            converted = convert_rates(old, table.areas, lookup, of_old)
        notes |= dict.fromkeys(f"{lookup.name}: {note}" for note in converted.notes)
        values[name] = np.full((len(areas), old.shape[1]), np.nan)
        values[name][at] = converted.values
        why = np.zeros(values[name].shape, dtype=np.uint8)
        np.maximum.at(why, at[target], table.reasons[name][row])
        why[np.isin(areas, irregular)] = _BOUNDARY_CHANGE
        reasons[name] = np.where(np.isnan(values[name]), why, 0).astype(np.uint8)
    _derive_again(table, values)
    texts = {c: _agreed(t[row], at[target], len(areas)) for c, t in table.texts.items()}
    names = _agreed(table.names[row], at[target], len(areas))
    return replace(
        table,
        release=replace(table.release, vintage=vintage, areas=len(areas)),
        areas=areas,
        names=np.where(names == "", areas, names),
        values=values,
        reasons=reasons,
        texts=texts,
        notes=tuple(notes),
    )


def _pairs(areas: Strings, lookup: Lookup) -> tuple[npt.NDArray[np.intp], Strings, npt.NDArray[np.intp]]:
    """Return (row of the older area, newer areas, position of the newer area) of regular pairs."""
    regular = (lookup.change != "X") & np.isin(lookup.old, areas)
    row = np.searchsorted(areas, lookup.old[regular])
    targets, target = np.unique(lookup.new[regular], return_inverse=True)
    return row, targets, target


def _derive_again(table: PublishedTable, values: dict[str, Floats]) -> None:
    """Make shares from the converted counts, where these are at hand: more exact than means."""
    for share in table.release.derived:
        parts = {*share.numerator, *share.denominator}
        if share.name not in values or not parts <= set(values):
            continue
        made: Floats = np.sum([values[c] for c in share.numerator], axis=0)
        if share.denominator:
            with np.errstate(divide="ignore", invalid="ignore"):
                made = made / np.sum([values[c] for c in share.denominator], axis=0)
        values[share.name] = np.where(np.isfinite(made), made, values[share.name])


def _agreed(texts: Strings, target: npt.NDArray[np.intp], n: int) -> Strings:
    """Return the text of each newer area; '' where its parts differ or it has none."""
    found = np.full(n, "", dtype=texts.dtype if texts.size else "U1")
    found[target] = texts
    differ = np.zeros(n, dtype=bool)
    np.logical_or.at(differ, target, found[target] != texts)
    found[differ] = ""
    return found

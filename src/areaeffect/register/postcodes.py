"""Postcodes to areas, by a directory of them: the share of each area's postcodes that is listed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from areaeffect.errors import DataError, did_you_mean, number_of
from areaeffect.register.places import columns_of, read_columns
from areaeffect.sources.publishers.large_files import RELEASE, plain_postcode, read_directory
from areaeffect.sources.publishers.panel import published_roots
from areaeffect.sources.publishers.releases import find_release, is_here, locate
from areaeffect.study.parts import resolve
from areaeffect.tables.user_table import rows_account

if TYPE_CHECKING:
    from areaeffect.results import Ints, Strings

_FEWEST_AN_AREA = 10
_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}")
#: A CSV of more bytes is a directory of the whole country, and is not read as a table of a user.
_LARGE = 64 << 20
#: Columns of a lookup that may hold the areas of a study, by what they hold.
_AREAS = ("area", "msoa_code", "ward_code", "authority_code")


class Postcodes:
    """Where postcodes lie.

    Parameters
    ----------
    postcodes, areas, ended : (n,), as in the file; `ended` is '' for those in use.
    source : what it is called in print.
    """

    def __init__(self, postcodes: pd.Series, areas: pd.Series, ended: pd.Series, source: str) -> None:
        self.source = source
        rows = pd.DataFrame({"area": areas, "ended": ended}, dtype="category")
        rows.index = index = pd.Index(postcodes.map(plain_postcode))
        again = rows[index.duplicated(keep=False)]
        self._twice = {
            str(postcode): sorted(set(own["area"]))
            for postcode, own in again.groupby(level=0)
            if own["area"].nunique() > 1
        }
        self._rows = rows[~index.duplicated(keep="last")]
        self._read = len(rows)

    @property
    def account(self) -> str:
        """How many rows of the lookup place a postcode in an area; the last of a repeated one."""
        of_use = (self._rows.index != "") & (self._rows["area"].astype(str) != "")
        return rows_account(self.source, self._read, int(of_use.sum()))

    def fault(self, text: str) -> str:
        """Return why a postcode cannot be placed; '' where it can."""
        postcode = plain_postcode(text)
        if not _POSTCODE.fullmatch(postcode):
            return f"'{text}' is not written like a postcode"
        if postcode in self._twice:
            return f"'{text}' is in two areas ({' and '.join(self._twice[postcode])})"
        if postcode not in self._rows.index or not self.area_of(postcode):
            begins = np.asarray(self._rows.index.str.startswith(postcode[:-3]))
            near = did_you_mean(postcode, self._rows.index[begins].tolist())
            return f"'{text}' is not in {self.source}" + (f" ({near})" if near else "")
        if ended := str(self._rows.at[postcode, "ended"]).strip():
            return f"'{text}' was terminated ({ended})"
        return ""

    def area_of(self, text: str) -> str:
        """Return the area of a postcode without a fault."""
        return str(self._rows.at[plain_postcode(text), "area"])

    @cached_property
    def _used(self) -> pd.DataFrame:
        used: pd.DataFrame = self._rows[self._rows["ended"].astype(str).str.strip() == ""]
        return used

    @cached_property
    def _in_use(self) -> pd.Series:
        return self._used["area"].value_counts()

    def shares_cannot_be_told(self, listed: Sequence[str]) -> str:
        """Return why shares of areas cannot be worked out from this lookup; '' where they can.

        A lookup of little more than the listed postcodes makes every share 100 %.
        """
        own = {plain_postcode(t) for t in listed}
        touched = {self.area_of(p) for p in own}
        held = sum(int(self._in_use[a]) for a in touched)
        if held >= _FEWEST_AN_AREA * len(touched) or len(own) < held / 2:
            return ""
        return (
            f"the lookup {self.source} holds {held} postcodes in the "
            f"{number_of(len(touched), 'area', 'areas')} touched, "
            f"of which {len(own)} are listed"
        )

    def shares(self, listed: Sequence[str]) -> dict[str, float]:
        """Return, for each area touched, the share of its postcodes in use that is listed."""
        found = Counter(self.area_of(p) for p in {plain_postcode(t) for t in listed})
        return {area: n / int(self._in_use[area]) for area, n in sorted(found.items())}

    def inside(self, areas: Strings) -> tuple[Strings, Ints]:
        """Return the postcodes in use of some areas, ascending, and the position of each's area."""
        held = self._used["area"].cat
        at = pd.Index(areas).get_indexer(held.categories.astype(str))[held.codes]
        inside = pd.Series(at, index=self._used.index)[at >= 0].sort_index()
        return inside.index.to_numpy(dtype=np.str_), inside.to_numpy(dtype=np.int64)


def has_directory(folder: Path, areas: Strings) -> bool:
    """Tell whether the directory of postcodes has been fetched and can know areas of a study."""
    is_official = len(areas) > 0 and re.fullmatch(r"[EW]\d{8}", str(areas[-1])) is not None
    return is_official and is_here(find_release(RELEASE), published_roots(folder))


def find_postcodes(lookup: str | None, folder: Path, areas: Strings, where: str = "") -> Postcodes:
    """Return where postcodes lie, for the areas of a study, by its own lookup or the fetched directory.

    Of several columns of areas, the one that knows most of the study's is taken.

    Raises
    ------
    DataError
        Neither is here; or a file without a column of postcodes, or of areas.
    """
    if lookup is None:
        if not has_directory(folder, areas):
            raise DataError(
                "postcodes are listed, but no directory says in which areas they lie.",
                where,
                "Get it with `areaeffect fetch postcodes`, or name your own: lookup = "
                "'file.csv' with columns postcode and area_code.",
            )
        ((_, path),) = locate(find_release(RELEASE), published_roots(folder))
    else:
        path = resolve(lookup, folder)
    table = _columns(path)
    named = columns_of(list(table.columns))
    ended = table[named["ended"][0]] if "ended" in named else pd.Series("", table.index)
    every = [c for what in _AREAS for c in named.get(what, ())]
    area = max(every, key=lambda c: np.isin(table[c].to_numpy(str), areas).sum())
    return Postcodes(table[named["postcode"][0]], table[area], ended, path.name)


def _columns(path: Path) -> pd.DataFrame:
    """Read the columns of a lookup that may be of use."""

    def choose(header: Sequence[str]) -> list[str]:
        named = columns_of(header)
        every = [c for what in _AREAS for c in named.get(what, ())]
        if "postcode" not in named or not every:
            what = "the lookup has no column of postcodes, or none of areas."
            fix = f"It needs postcode and area_code. Columns: {', '.join(header)}."
            raise DataError(what, str(path), fix)
        return [named["postcode"][-1], *every, *named.get("ended", ())[:1]]

    if path.suffix.lower() == ".zip" or (path.is_file() and path.stat().st_size > _LARGE):
        return read_directory(path, choose)
    columns = read_columns(path)
    return pd.DataFrame({name: columns[name].astype(object) for name in choose(list(columns))})

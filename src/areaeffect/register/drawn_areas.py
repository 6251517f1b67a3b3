"""Places as named or drawn, and the areas that match each: what was used, and what could not be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, first_few, number_of
from areaeffect.geography.overlay import (
    DrawnShapes,
    area_shares,
    fault_of_degrees,
    population_shares,
    projected,
    read_drawn,
)
from areaeffect.records import described
from areaeffect.register.rows import AreaRow, Record, RecordTable, contradictions, row_of, value_problems
from areaeffect.study.parts import resolve
from areaeffect.tables.cells import read_numbers
from areaeffect.tables.user_table import Layout, read_user_table, rows_account

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.geography.boundaries import Boundaries
    from areaeffect.results import Floats, Strings
    from areaeffect.study.initiative import Initiative

    Outlines = npt.NDArray[np.object_]

#: Overlaps below this share of an area are drawing noise along a shared border: not reported.
SLIVER = 0.001


def rows_of_drawn(
    initiative: Initiative, path: Path, folder: Path, boundaries: Boundaries | None, areas: Strings
) -> PlacesRead:
    """Return the areas that match each drawn shape, and how well they fit; `faults` says what is wrong.

    Shapes of one neighbourhood are joined. One that touches no area of the study is left out by name.
    """
    if boundaries is None:
        what = f"'{path.name}' is drawn, but no source of the study has boundaries to fit it to."
        fix = "Give a source `boundaries`, or list the areas by code."
        raise DataError(what, str(path), fix)
    drawn = read_drawn(path, boundaries.crs, initiative.crs)
    shapes, records, faults = _joined(drawn, _records(drawn, path), initiative, path)
    found, fit = PlacesRead(notes=list(drawn.notes), faults=faults), initiative.fit
    if fit.by == "area" or fit.points is None:
        shares = area_shares(shapes, boundaries.outlines)
    else:
        at, people, said = read_points(resolve(fit.points, folder), boundaries.crs)
        found.notes += said
        shares = population_shares(shapes, boundaries.outlines, at, people)
    for g, record in enumerate(records):
        mine = np.flatnonzero(shares.shape == g)
        mine = mine[~(shares.share[mine] < SLIVER)]
        if not len(mine):
            name, reason = row_of(record, "", initiative).neighbourhood, "lies in none of the study's areas"
            found.left_out.append(LeftOut(path.name, record.place, name, reason))
            continue
        share, size = shares.share[mine], shares.size[shares.area[mine]]
        codes, kept = areas[shares.area[mine]].tolist(), share >= fit.least
        common, whole = np.nan_to_num(share) * size, float(shares.whole[g])
        if not kept.any():
            most = int(np.nan_to_num(share).argmax())
            least, name = np.nan_to_num(share)[most], record.values["neighbourhood"] or path.stem
            what = f"no area matches '{name}': the largest share it covers is {least:.0%}, of {codes[most]}."
            fix = (
                f"It is smaller than the areas in the data. With fit = {{ least = {least:.2f} }} that "
                "area would represent it, although most of its homes lie outside; or use smaller areas."
            )
            found.fault(what, f"{path}, {record.place}", fix)
        unknown = "its own outline crosses itself, or nobody lives there: the share cannot be worked out"
        under = f"under {fit.least:.0%} of it lies inside"
        reasons = np.select([np.isnan(share), kept], [unknown, ""], under).tolist()
        found.add(
            record,
            initiative,
            fit.by,
            list(zip(codes, share.tolist(), reasons, strict=True)),
            ("name", "area_name"),
            covered=min(1.0, float(common.sum()) / whole) if whole > 0 else None,
            captured=min(1.0, float(common[kept].sum()) / whole) if whole > 0 else None,
            inside=float(common[kept].sum() / size[kept].sum()) if kept.any() else None,
        )
    read, kept_shapes = len(drawn.places), len(drawn.places) - len(found.left_out)
    found.notes.append(rows_account(path.name, read, kept_shapes))
    if not found.rows and not faults:
        what = "no shape touches an area of the study."
        fix = "Check that the sources cover the place, and its coordinates."
        found.fault(what, str(path), fix)
    return found


def _records(drawn: DrawnShapes, path: Path) -> list[Record]:
    """Return what the file says of each shape; the neighbourhood may be under 'name'."""
    records = []
    for place, values in zip(drawn.places, drawn.values, strict=True):
        name = next((values[k] for k in ("neighbourhood", "name", "area_name") if values.get(k)), "")
        records.append(Record(place, {**values, "neighbourhood": name}))
    nameless = [r for r in records if not r.values["neighbourhood"]]
    if len(records) > 1 and nameless:
        fix = "Give each a property 'neighbourhood' (or 'name')."
        raise DataError([Problem("the shape has no name.", f"{path}, {r.place}", fix) for r in nameless])
    return records


def _joined(
    drawn: DrawnShapes, records: list[Record], initiative: Initiative, path: Path
) -> tuple[Outlines, list[Record], list[Problem]]:
    """Join the shapes of each neighbourhood; what the file says of its parts must agree."""
    import shapely

    parts: dict[tuple[str, str], list[int]] = {}
    for i, record in enumerate(records):
        row = row_of(record, "", initiative)
        parts.setdefault((row.programme, row.neighbourhood), []).append(i)
    faults = value_problems(records, path)
    for own in parts.values():
        faults += contradictions([records[i] for i in own], initiative, path)
    shapes = np.empty(len(parts), dtype=object)
    for g, own in enumerate(parts.values()):
        shapes[g] = drawn.shapes[own[0]] if len(own) == 1 else shapely.union_all(drawn.shapes[own])
    return shapes, [records[own[0]] for own in parts.values()], faults


_DEGREES, _GRID = ("longitude", "latitude"), ("easting", "northing")
_RESIDENTS = "residents"
_SHOWN = 5


def read_points(path: Path, to_crs: str) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Read residents by longitude and latitude, or easting and northing: points, people, remarks."""
    table = read_user_table(path, layout=Layout((*_DEGREES, *_GRID, _RESIDENTS)))
    frame = table.frame
    has_degrees = set(_DEGREES) <= set(frame.columns)
    needed = (*(_DEGREES if has_degrees else _GRID), _RESIDENTS)
    if missing := [c for c in needed if c not in frame.columns]:
        raise DataError(
            f"there is no column {' or '.join(repr(c) for c in missing)}.",
            str(path),
            f"Points need longitude and latitude, or easting and northing, and {_RESIDENTS}. "
            f"Columns: {', '.join(frame.columns)}.",
        )
    numbers = np.column_stack([read_numbers(frame[c]).values for c in needed])
    at, residents = numbers[:, :2], numbers[:, 2]
    bad = ~np.isfinite(at).all(axis=1) | ~(residents >= 0)
    if bad.any():
        rows = ", ".join(str(i) for i in frame.index[bad][:_SHOWN])
        what = f"{number_of(int(bad.sum()), 'point has', 'points have')} no readable {', '.join(needed)}."
        where = f"{path}, row {rows}" + (" and more" if bad.sum() > _SHOWN else "")
        raise DataError(what, where, "Give every row numbers, or take it out.")
    fault = fault_of_degrees(at, in_britain=to_crs == "EPSG:27700") if has_degrees else None
    if fault is not None:
        raise DataError(f"the file {fault[0]}.", str(path), fault[1])
    account = rows_account(path.name, len(frame) + len(table.left_out), len(frame))
    own = "EPSG:4326" if has_degrees else "EPSG:27700"
    return projected(at, own, to_crs), residents, (*table.notes, account)


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFit:
    """One area that a drawn shape, or a list of postcodes, touches."""

    programme: str = described("Programme")
    neighbourhood: str = described("Neighbourhood")
    area: str = described("Area code")
    share: float | None = described("Share of the area inside; empty where it is not known")
    kept: bool = described("Whether the area represents the neighbourhood")
    reason: str = described("Why not")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeFit:
    """One drawn shape, or one list of postcodes, as a whole."""

    programme: str = described("Programme")
    neighbourhood: str = described("Neighbourhood")
    by: str = described("What the share is of: 'area', 'population' or 'postcodes'")
    least: float = described("Share that an area needs to belong")
    n_kept: int = described("Areas that represent it")
    covered: float | None = described("Share of it that lies in the study's areas; empty for postcodes")
    captured: float | None = described("Share of it that lies in the areas kept")
    inside: float | None = described("Share of the areas kept that lies inside it")


OUTSIDE = "outside the study's areas"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something a file names that could not be used."""

    file: str = described("File")
    place: str = described("Its row or feature in that file")
    what: str = described("The name it goes by")
    reason: str = described("Why it could not be used")


@dataclass(slots=True, kw_only=True)
class PlacesRead:
    """What one file of places came to, filled entry by entry."""

    rows: list[AreaRow] = field(default_factory=list)  # one an area that represents a neighbourhood
    fits: list[AreaFit] = field(default_factory=list)  # every area touched, kept or not; shapes, postcodes.
    shapes: list[ShapeFit] = field(default_factory=list)  # every shape or list of postcodes as a whole
    left_out: list[LeftOut] = field(default_factory=list)  # entries that could not be used
    notes: list[str] = field(default_factory=list)  # remarks for the data annex
    faults: list[Problem] = field(default_factory=list)  # what the user must mend
    table: RecordTable | None = None  # the file's rows; None of drawn shapes

    def fault(self, what: str, where: str, fix: str = "") -> None:
        """Add what the user must mend."""
        self.faults.append(Problem(what, where, fix))

    def add(
        self,
        record: Record,
        initiative: Initiative,
        by: str,
        shares: Sequence[tuple[str, float, str]],
        located_by: tuple[str, ...],
        *,
        covered: float | None,
        captured: float | None,
        inside: float | None,
    ) -> None:
        """Add a neighbourhood: code, share and why not, of each area that it touches."""
        own = row_of(record, "", initiative)
        kept = [code for code, _, reason in shares if not reason]
        self.rows += [row_of(record, code, initiative, located_by) for code in kept]
        self.fits += [
            AreaFit(
                programme=own.programme,
                neighbourhood=own.neighbourhood,
                area=code,
                share=None if np.isnan(share) else share,
                kept=not reason,
                reason=reason,
            )
            for code, share, reason in shares
        ]
        self.shapes.append(
            ShapeFit(
                programme=own.programme,
                neighbourhood=own.neighbourhood,
                by=by,
                least=initiative.fit.least,
                n_kept=len(kept),
                covered=covered,
                captured=captured,
                inside=inside,
            )
        )

    def account(self) -> list[str]:
        """Say how many rows of the file were used."""
        used = {row.place for row in self.rows}
        lost = {e.place for e in self.left_out} - used
        return [self.table.account(lost)] if self.table else []

    def left_out_note(self) -> list[str]:
        """Name the entries left out, beside those of areas outside the study, noted elsewhere."""
        own = [e for e in self.left_out if e.reason != OUTSIDE]
        if not own:
            return []
        each = [(e.place, "" if e.what in e.reason else f"'{e.what}' ", e.reason) for e in own]
        what = f"{len(own)} {'entry is' if len(own) == 1 else 'entries are'} left out"
        return [f"{own[0].file}: {what}: {first_few([f'{p}, {w}{r}' for p, w, r in each])}."]

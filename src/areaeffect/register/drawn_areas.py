"""Places as named or drawn, and the areas that match each: what was used, and what could not be."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.errors import DataError, Problem, first_few, number_of
from areaeffect.geography.drawn import DrawnShapes, Shares, area_shares, population_shares, read_drawn
from areaeffect.geography.points import fault_of_degrees, projected
from areaeffect.records import described
from areaeffect.register.rows import AreaRow, Record, RecordTable, contradictions, row_of, value_problems
from areaeffect.study.parts import resolve
from areaeffect.tables.cells import read_numbers
from areaeffect.tables.user_table import Layout, read_user_table, rows_account

if TYPE_CHECKING:
    import numpy.typing as npt

    from areaeffect.geography.boundaries import Boundaries
    from areaeffect.panel import Strings
    from areaeffect.results import Bools, Ints
    from areaeffect.study.initiative import Fit, Initiative

    Outlines = npt.NDArray[np.object_]
    import pandas as pd

    from areaeffect.results import Floats

#: Overlaps below this share of an area are drawing noise along a shared border: not reported.
SLIVER = 0.001


def rows_of_drawn(
    initiative: Initiative, path: Path, folder: Path, boundaries: Boundaries | None, areas: Strings
) -> PlacesRead:
    """Return the areas that match each drawn shape, and how well they fit.

    Shapes of one neighbourhood are joined. A shape in the country that touches none of the
    study's areas is left out by name; where no shape is left, that is an error.

    Raises
    ------
    StudyError, DataError
        As `read_drawn`; no boundaries in the study; a shape that matches no area; shapes
        without a name where there are several.
    """
    if boundaries is None:
        raise DataError(
            f"'{path.name}' is drawn, but no source of the study has boundaries to fit it to.",
            str(path),
            "Give a source `boundaries`, or list the areas by code.",
        )
    drawn = read_drawn(path, boundaries.crs, initiative.crs)
    records = _records(drawn, path)
    faults = value_problems(records, path)
    shapes, records, differ = _joined(drawn, records, initiative, path)
    faults += differ
    found = PlacesRead(notes=list(drawn.notes), faults=faults)
    shares = _shares(initiative.fit, shapes, boundaries, folder, found.notes)
    fit = initiative.fit
    for g, record in enumerate(records):
        mine = np.flatnonzero(shares.shape == g)
        mine = mine[~(shares.share[mine] < SLIVER)]
        name = row_of(record, "", initiative)
        if not len(mine):
            reason = "lies in none of the study's areas"
            found.left_out.append(LeftOut(path.name, record.place, name.neighbourhood, reason))
            continue
        kept = shares.share[mine] >= fit.least
        if not kept.any():
            faults.append(_too_small(record, path, shares, mine, areas))
        codes = [str(areas[a]) for a in shares.area[mine]]
        for code, share, keep in zip(codes, shares.share[mine].tolist(), kept.tolist(), strict=True):
            found.fits.append(_area_fit(name, code, share, fit, kept=keep))
            if keep:
                found.rows.append(row_of(record, code, initiative, ("name", "area_name")))
        found.shapes.append(_fit_of_shape(name, fit, shares, mine, kept, g))
    read, kept_shapes = len(drawn.places), len(drawn.places) - len(found.left_out)
    found.notes.append(rows_account(path.name, read, kept_shapes))
    if not found.rows and not faults:
        faults.append(
            Problem(
                "no shape touches an area of the study.",
                str(path),
                "Check that the sources cover the place, and its coordinates.",
            )
        )
    return found


def _records(drawn: DrawnShapes, path: Path) -> list[Record]:
    """Return what the file says of each shape; the neighbourhood may be under 'name'."""
    records = []
    for place, values in zip(drawn.places, drawn.values, strict=True):
        name = next((values[k] for k in ("neighbourhood", "name", "area_name") if values.get(k)), "")
        records.append(Record(place, {**values, "neighbourhood": name}))
    nameless = [r for r in records if not r.values["neighbourhood"]]
    if len(records) > 1 and nameless:
        raise DataError(
            [
                Problem(
                    "the shape has no name.",
                    f"{path}, {r.place}",
                    "Give each a property 'neighbourhood' (or 'name').",
                )
                for r in nameless
            ]
        )
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
    faults = [
        fault
        for own in parts.values()
        for fault in contradictions([records[i] for i in own], initiative, path)
    ]
    shapes = np.empty(len(parts), dtype=object)
    for g, own in enumerate(parts.values()):
        shapes[g] = drawn.shapes[own[0]] if len(own) == 1 else shapely.union_all(drawn.shapes[own])
    return shapes, [records[own[0]] for own in parts.values()], faults


def _shares(fit: Fit, shapes: Outlines, boundaries: Boundaries, folder: Path, notes: list[str]) -> Shares:
    if fit.by == "area" or fit.points is None:
        return area_shares(shapes, boundaries.outlines)
    points = read_points(resolve(fit.points, folder), boundaries.crs)
    notes += points.notes
    return population_shares(shapes, boundaries.outlines, points.at, points.residents)


def _reason(share: float, fit: Fit) -> str:
    if np.isnan(share):
        return "its own outline crosses itself, or nobody lives there: the share cannot be worked out"
    return "" if share >= fit.least else f"under {fit.least:.0%} of it lies inside"


def _area_fit(name: AreaRow, code: str, share: float, fit: Fit, *, kept: bool) -> AreaFit:
    """How well an area that a shape touches fits it."""
    known = None if np.isnan(share) else share
    return AreaFit(
        programme=name.programme,
        neighbourhood=name.neighbourhood,
        area=code,
        share=known,
        kept=kept,
        reason=_reason(share, fit),
    )


def _too_small(record: Record, path: Path, shares: Shares, mine: Ints, areas: Strings) -> Problem:
    most = mine[int(np.nanargmax(np.nan_to_num(shares.share[mine])))]
    share = float(np.nan_to_num(shares.share[most]))
    return Problem(
        f"no area matches '{record.values['neighbourhood'] or path.stem}': the largest share it "
        f"covers is {share:.0%}, of {areas[shares.area[most]]}.",
        f"{path}, {record.place}",
        f"It is smaller than the areas in the data. With fit = {{ least = {share:.2f} }} "
        "that area would represent it, although most of its homes lie "
        "outside; or use smaller areas.",
    )


def _fit_of_shape(name: AreaRow, fit: Fit, shares: Shares, mine: Ints, kept: Bools, shape: int) -> ShapeFit:
    size = shares.size[shares.area[mine]]
    common = np.nan_to_num(shares.share[mine]) * size
    whole = float(shares.whole[shape])
    return ShapeFit(
        programme=name.programme,
        neighbourhood=name.neighbourhood,
        by=fit.by,
        least=fit.least,
        n_kept=int(kept.sum()),
        covered=min(1.0, float(common.sum()) / whole) if whole > 0 else None,
        captured=min(1.0, float(common[kept].sum()) / whole) if whole > 0 else None,
        inside=float(common[kept].sum() / size[kept].sum()) if kept.any() else None,
    )


_DEGREES, _GRID = ("longitude", "latitude"), ("easting", "northing")
_RESIDENTS = "residents"
_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points in metres."""

    at: Floats  # (n, 2), in the metres asked for
    residents: Floats  # (n,), people at each point
    notes: tuple[str, ...] = ()  # how the file was read, and how many of its rows


def read_points(path: Path, to_crs: str) -> Points:
    """Read a table of residents by longitude and latitude, or easting and northing.

    Parameters
    ----------
    path : the file.
    to_crs : coordinate reference system, in metres.

    Raises
    ------
    DataError
        Missing columns, rows whose coordinates or residents cannot be read, by row; coordinates
        that are not what their columns say.
    """
    layout = Layout((*_DEGREES, *_GRID, _RESIDENTS))
    table = read_user_table(path, layout=layout)
    frame = table.frame
    has_degrees = set(_DEGREES) <= set(frame.columns)
    pair = _DEGREES if has_degrees else _GRID
    missing = [c for c in (*pair, _RESIDENTS) if c not in frame.columns]
    if missing:
        raise DataError(
            f"there is no column {' or '.join(repr(c) for c in missing)}.",
            str(path),
            f"Points need longitude and latitude, or easting and northing, and {_RESIDENTS}. "
            f"Columns: {', '.join(frame.columns)}.",
        )
    at = np.column_stack([_numbers(frame[c]) for c in pair])
    residents = _numbers(frame[_RESIDENTS])
    bad = ~np.isfinite(at).all(axis=1) | ~(residents >= 0)
    if bad.any():
        needed = ", ".join((*pair, _RESIDENTS))
        rows = ", ".join(str(i) for i in frame.index[bad][:_SHOWN])
        raise DataError(
            f"{number_of(int(bad.sum()), 'point has', 'points have')} no readable {needed}.",
            f"{path}, row {rows}" + (" and more" if bad.sum() > _SHOWN else ""),
            "Give every row numbers, or take it out.",
        )
    if has_degrees:
        fault = fault_of_degrees(at, in_britain=to_crs == "EPSG:27700")
        if fault is not None:
            raise DataError(f"the file {fault[0]}.", str(path), fault[1])
    own = "EPSG:4326" if has_degrees else "EPSG:27700"
    account = rows_account(path.name, len(frame) + len(table.left_out), len(frame))
    return Points(projected(at, own, to_crs), residents, (*table.notes, account))


def _numbers(column: pd.Series) -> Floats:
    return read_numbers(column).values


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

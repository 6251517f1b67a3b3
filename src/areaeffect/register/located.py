"""The result for each place named: which areas match it, what could not be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from areaeffect.errors import first_few

if TYPE_CHECKING:
    from areaeffect.errors import Problem
    from areaeffect.register.rows import Row


@dataclass(frozen=True, slots=True)
class AreaFit:
    """One area that a drawn shape, or a list of postcodes, touches.

    Parameters
    ----------
    programme, neighbourhood : whose.
    area : its code.
    share : of the area inside; None where it is unknown.
    kept : whether the area represents the neighbourhood.
    reason : why not; '' where it is kept.
    """

    programme: str
    neighbourhood: str
    area: str
    share: float | None
    kept: bool
    reason: str


@dataclass(frozen=True, slots=True)
class ShapeFit:
    """One drawn shape, or one list of postcodes, as a whole.

    Parameters
    ----------
    programme, neighbourhood : whose.
    by : 'area', 'population' or 'postcodes'.
    least : share that an area needs.
    n_kept : areas kept.
    covered : share of the shape that lies in the study's areas; None for postcodes.
    captured : share of the shape (its surface or people) that lies in the areas kept.
    inside : share of the areas kept that lies inside the shape; low where others are swept in.
    """

    programme: str
    neighbourhood: str
    by: str
    least: float
    n_kept: int
    covered: float | None
    captured: float | None
    inside: float | None


OUTSIDE = "outside the study's areas"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something a file names that could not be used.

    Parameters
    ----------
    file, place : where it is.
    what : the name it goes by.
    reason : why it could not be used.
    """

    file: str
    place: str
    what: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Found:
    """What one file of places came to, filled entry by entry.

    Parameters
    ----------
    rows : one an area that represents a neighbourhood.
    fits : every area touched, kept or not; shapes, postcodes.
    shapes : every shape or list of postcodes as a whole.
    left_out : entries that could not be used.
    notes : remarks for the data annex.
    faults : what the user must mend.
    """

    rows: list[Row] = field(default_factory=list)
    fits: list[AreaFit] = field(default_factory=list)
    shapes: list[ShapeFit] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)

    def left_out_note(self) -> list[str]:
        """Name the entries left out, beside those of areas outside the study, noted elsewhere."""
        own = [e for e in self.left_out if e.reason != OUTSIDE]
        if not own:
            return []
        each = [(e.place, "" if e.what in e.reason else f"'{e.what}' ", e.reason) for e in own]
        what = f"{len(own)} {'entry is' if len(own) == 1 else 'entries are'} left out"
        return [f"{own[0].file}: {what}: {first_few([f'{p}, {w}{r}' for p, w, r in each])}."]

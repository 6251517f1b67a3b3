"""The panel: areas by periods, one measure an outcome, with what is missing and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from areaeffect.periods import PeriodKind, Periods
from areaeffect.results import Bools, Floats, Gap, Ints, Release, Strings

if TYPE_CHECKING:
    from areaeffect.outcomes import Break

#: A neighbourhood with more than this share of its areas, or of a side of its window, missing gets
#: no estimate; one period of a short side may be missing.
MAX_MISSING = 0.1
#: Why a cell is missing; the position in this tuple is the code stored in `Measure.reasons`.
REASONS = ("", "not_published", "partial_month", "suppressed", "boundary_change", "not_located", "no_row")


@dataclass(frozen=True, slots=True, eq=False)
class Hidden:
    """Small counts that a publisher hides: known only to lie between two numbers."""

    cells: Bools  # (n_areas, n_periods), which cells
    #: least, most: what each can be
    least: int
    most: int

    @property
    def middle(self) -> float:
        """What each is taken to be."""
        return (self.least + self.most) / 2


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Measure:
    """One outcome over areas and periods."""

    name: str  # name of the outcome
    is_count: bool  # whole numbers of events (True) or a mean on a scale
    periods: Periods  # the time axis
    values: Floats  # (n_areas, n_periods); NaN is missing, and only missing.
    reasons: npt.NDArray[np.uint8]  # (n_areas, n_periods), index into `REASONS`; 0 where there is a value.
    exposure: Floats | None  # (n_areas,), residents or dwellings; None where the study gives none.
    smallest: float = 0.05  # smallest effect of interest: a fraction of counts, in the unit of a score
    #: (n_areas,), the same in the last period; None where it is not known.
    exposure_at_end: Floats | None = None
    breaks: tuple[Break, ...] = ()  # months from which it no longer means what it meant before
    hidden: Hidden | None = None  # counts that are hidden within known bounds; `values` holds their middle.

    @property
    def waves(self) -> Bools:
        """(n_periods,): periods in which the source has a row at all; a survey may skip years."""
        return np.asarray((self.reasons != REASONS.index("no_row")).any(axis=0))

    @property
    def observed(self) -> Bools:
        """(n_areas, n_periods): whether the cell has a value."""
        return ~np.isnan(self.values)


def is_enough(missing: Ints | int, of: int) -> Bools:
    """Return whether enough of a number of periods is left after the missing ones."""
    return np.asarray((missing < of) & (missing <= max(1.0, MAX_MISSING * of)))


def picked(values: Floats, mask: Bools) -> Floats:
    """Return the periods of a mask, (n_areas, k): a view where they are one run, else a copy."""
    index = np.flatnonzero(mask)
    if len(index) and index[-1] - index[0] + 1 == len(index):
        return values[:, index[0] : index[-1] + 1]
    return values[:, index]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """A named set of areas one partnership works in."""

    initiative: str  # the programme it belongs to
    name: str  # its name
    areas: Ints  # (n,), positions in the panel, ascending
    start: int  # ordinal of the first treated period
    start_kind: PeriodKind  # what that ordinal counts
    resident_led: bool | None  # led by residents; None where not stated.
    #: further columns of its file that are the same in all its rows
    attributes: Mapping[str, str] = field(default_factory=dict)
    #: last period of work, an ordinal like `start`; None where not stated. Periods after it still count as
    #: treated: what a place kept is part of what it gained.
    end: int | None = None
    funding: float | None = None  # pounds in all; None where not stated.
    #: months from the start on that count neither as before nor as after: work was announced and had not
    #: begun
    phase_in: int = 0
    #: areas that the study names for it, where not all can be used; 0 where `areas` holds them all.
    named: int = 0

    @property
    def n_named(self) -> int:
        """Areas that the study names for it, used or not."""
        return self.named or len(self.areas)

    @property
    def is_whole(self) -> bool:
        """Whether enough of the areas named can be used to represent the neighbourhood."""
        return len(self.areas) >= (1 - MAX_MISSING) * self.n_named

    @property
    def counted_from(self) -> tuple[int, PeriodKind]:
        """First period that counts as after the start, and what it counts: months after a phase."""
        if not self.phase_in:
            return self.start, self.start_kind
        return self.start_kind.first_month(self.start) + self.phase_in, PeriodKind.MONTH


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Pairs of areas in compressed rows: the neighbours of i are `indices[indptr[i]:indptr[i+1]]`."""

    indptr: Ints  # (n_areas + 1,)
    indices: Ints  # (n_pairs,), ascending inside each row; an area is not its own neighbour.

    def of(self, area: int) -> Ints:
        """Return the neighbours of one area."""
        return self.indices[self.indptr[area] : self.indptr[area + 1]]

    def of_any(self, areas: Ints) -> Ints:
        """Return the neighbours of any of the areas, with repeats."""
        first, many = self.indptr[areas], self.indptr[areas + 1] - self.indptr[areas]
        before = np.cumsum(many) - many
        return np.asarray(self.indices[np.repeat(first - before, many) + np.arange(many.sum())])

    def pieces(self, areas: Ints) -> list[Ints]:
        """Return the parts of some areas that hang together, each in ascending order."""
        left, found = set(areas.tolist()), []
        while left:
            piece, edge = set(), {min(left)}
            while edge:
                piece |= edge
                edge = {int(a) for e in edge for a in self.of(e)} & left - piece
            left -= piece
            found.append(np.array(sorted(piece), dtype=np.int64))
        return found

    def component_sizes(self, allowed: Bools) -> Ints:
        """Return for each area the size of its connected part among the allowed areas; else 0."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import connected_components

        n = len(self.indptr) - 1
        rows = np.repeat(np.arange(n), np.diff(self.indptr))
        keep = allowed[rows] & allowed[self.indices]
        links = csr_matrix((np.ones(keep.sum()), (rows[keep], self.indices[keep])), shape=(n, n))
        _, part = connected_components(links, directed=False)
        sizes = np.bincount(part[allowed], minlength=part.max() + 1)
        return np.where(allowed, sizes[part], 0)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Panel:
    """All that an evaluation reads, on one set of areas."""

    areas: Strings  # (n_areas,), codes in ascending order
    names: Strings  # (n_areas,), names, or the codes again
    measures: Mapping[str, Measure]  # by outcome name
    covariates: Floats  # (n_areas, n_covariates); NaN where a source has no row for the area.
    covariate_names: tuple[str, ...]  # names in print
    covariate_as_of: tuple[str, ...]  # the date each describes; empty where none is given.
    #: 'source.column' to (n_areas,) text, for exclusions and pseudo-neighbourhoods
    attributes: Mapping[str, Strings]
    contiguity: Graph | None  # areas that touch; None without boundaries and without a list of neighbours.
    near: Graph | None  # areas within the study's buffer of each other; None without boundaries.
    gaps: tuple[Gap, ...]  # missing cells, grouped for print
    releases: tuple[Release, ...]  # the files read
    notes: tuple[str, ...]  # remarks on reading, for the data annex
    centres: Floats | None = None  # (n_areas, 2), the middle of each area in metres; None without boundaries.

"""How places compare, as a record with its tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from areaeffect.document.page import as_dict, run_of
from areaeffect.records import Column, DataTable, Json
from areaeffect.results import Ints, Release, Shape
from areaeffect.where_next.ranking import Ranking


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WhereNext:
    """A ranked list of places."""

    plan: Json  # what was asked, and counts
    areas: npt.NDArray[np.str_]  # (n_areas,), codes
    #: places, names: in the order of the list; positions of areas, and names.
    places: tuple[Ints, ...]
    names: tuple[str, ...]
    #: like, need: their ranking by likeness and by need; None where not asked.
    like: Ranking | None
    need: Ranking | None
    models: tuple[str, ...]  # names of the studied places, which `like.nearest` counts
    #: taken, near: positions of areas that have an initiative, and of areas within the buffer
    taken: Ints
    near: Ints
    shapes: tuple[Shape, ...]  # outlines; empty without.
    #: releases, notes: files read, and remarks
    releases: tuple[Release, ...]
    notes: tuple[str, ...]

    @property
    def leading(self) -> Ranking:
        """The ranking that orders the list."""
        found = self.like if self.like is not None else self.need
        if found is None:
            raise ValueError(self.names)  # either is made
        return found

    @property
    def title(self) -> str:
        """What the page is called."""
        return "Where next: places " + ("like those that benefited" if self.like else "in need")

    def to_dict(self) -> Json:
        """Return plain JSON values: plan, releases, notes and the rows of every table."""
        return as_dict(run_of(self.plan, self.releases, self.notes), self.tables())

    def tables(self) -> tuple[DataTable, ...]:
        """Return the places in order, and the areas of each."""
        columns = [
            Column("place", "integer", "Number of the place, in the order of the list"),
            Column("name", "string", "Its name"),
            Column("areas", "integer", "Number of areas"),
        ]
        rows: list[list[Any]] = [
            [k + 1, name, len(place)]
            for k, (name, place) in enumerate(zip(self.names, self.places, strict=True))
        ]
        for kind, ranking in (("like", self.like), ("need", self.need)):
            if ranking is None:
                continue
            what = "distance to the nearest place that benefited" if kind == "like" else "score"
            columns += [
                Column(f"{kind}_value", "number", f"Its {what}"),
                Column(f"{kind}_rank", "integer", "Rank on it, 1 is first"),
                Column(f"{kind}_rank_low", "integer", "Low end of the rank's 90% interval"),
                Column(f"{kind}_rank_high", "integer", "High end of the rank's 90% interval"),
                Column(f"{kind}_share_first", "number", "Share of simulations near the top"),
            ]
            sign = 1.0 if kind == "like" else -1.0
            for k, row in enumerate(rows):
                row += [sign * float(ranking.value[k]), int(ranking.rank[k])]
                row += [int(ranking.low[k]), int(ranking.high[k]), float(ranking.share_first[k])]
        if self.like is not None:
            columns.append(Column("most_like", "string", "The studied place it is most like"))
            for k, row in enumerate(rows):
                row.append(self._model(k))
        members = tuple((k + 1, str(self.areas[a])) for k, place in enumerate(self.places) for a in place)
        of = (columns[0], Column("area_code", "string", "Area"))
        return (
            DataTable("where_next", self.title, tuple(columns), tuple(tuple(r) for r in rows)),
            DataTable("where_next_areas", "Areas of each place", of, members),
        )

    def _model(self, k: int) -> str:
        if self.like is None or self.like.nearest is None:
            return ""
        return self.models[int(self.like.nearest[k])]

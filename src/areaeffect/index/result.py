"""A composite index as a record, with its tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from areaeffect.document.page import as_dict, run_of
from areaeffect.records import Column, DataTable, Json, described, table_of
from areaeffect.results import Bools, Floats, Release, Shape
from areaeffect.wording.numbers import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One choice made otherwise, and what that does."""

    choice: str = described("Which choice")
    alternative: str = described("What was chosen instead")
    correlation: float = described("Spearman's rank correlation with the index")
    left_worst: int = described("Areas of its worst tenth that leave it")
    worst: int = described("Areas in its worst tenth")
    largest_move: float = described("Largest change of a rank")
    left_behind: int | None = described("Areas left behind; empty where not asked")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class IndexResult:
    """A composite index."""

    plan: Json  # the index file as read
    #: areas, names: (n_areas,)
    areas: npt.NDArray[np.str_]
    names: npt.NDArray[np.str_]
    council: npt.NDArray[np.str_]  # (n_areas,), name of the council; empty text where it is not known
    shapes: tuple[Shape, ...]  # outlines of the areas in metres; none without boundaries
    #: score, rank, decile: (n_areas,), high is worse, 1 is worst; NaN without a score.
    score: Floats
    rank: Floats
    decile: Floats
    standard: Floats  # (n_areas, n_indicators), the standardised indicators
    behind: Bools | None  # (n_areas,), left behind; None where that was not asked.
    variants: tuple[Variant, ...]  # every choice made otherwise
    #: releases, notes: files read, and remarks
    releases: tuple[Release, ...]
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is called."""
        return str(self.plan["index"]["title"])

    def text(self) -> str:
        """Return what the command prints."""
        n = int(np.isfinite(self.score).sum())
        lines = [f"{self.title}: {plural(n, 'area')} with a score, of {len(self.areas):,}."]
        if self.behind is not None:
            lines.append(f"Left behind: {plural(int(self.behind.sum()), 'area')}.")
        shaky = sorted(self.variants, key=lambda v: v.correlation)[:3]
        lines += [
            f"  {v.choice}, {v.alternative}: rank correlation {v.correlation:.3f}; "
            f"{v.left_worst:,} of {v.worst:,} leave the worst tenth"
            for v in shaky
        ]
        return "\n".join(lines)

    def to_dict(self) -> Json:
        """Return plain JSON values: plan, releases, notes and the rows of every table."""
        return as_dict(run_of(self.plan, self.releases, self.notes), self.tables())

    def tables(self) -> tuple[DataTable, ...]:
        """Return the scores and the sensitivity table."""
        indicators = [i["name"] for i in self.plan["indicator"]]
        columns = [
            Column("area_code", "string", "Area"),
            Column("area_name", "string", "Its name, or its code again"),
            Column("council", "string", "The council it lies in; empty where that is not known"),
            Column("score", "number", "Score: high is worse; empty where the area has none"),
            Column("rank", "integer", "Rank, 1 is worst"),
            Column("decile", "integer", "Tenth of the ranked areas, 1 is worst"),
            *(Column(f"{n}_standardised", "number", f"{n}: high is worse") for n in indicators),
        ]
        if self.behind is not None:
            columns.append(Column("is_left_behind", "boolean", "In the worst share on need and deprivation"))
        rows = []
        for i, area in enumerate(self.areas):
            row: list[Any] = [str(area), str(self.names[i]), str(self.council[i]), _known(self.score[i])]
            row += [_whole_number(self.rank[i]), _whole_number(self.decile[i])]
            row += [_known(x) for x in self.standard[i]]
            rows.append((*row, bool(self.behind[i])) if self.behind is not None else tuple(row))
        return (
            DataTable("index", self.title, tuple(columns), tuple(rows)),
            table_of("sensitivity", "What each choice does to the ranks", Variant, self.variants),
        )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _whole_number(value: float) -> int | None:
    return int(value) if np.isfinite(value) else None

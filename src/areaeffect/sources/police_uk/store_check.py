"""What `areaeffect ingest` says of its files, and a store compared with its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from areaeffect.errors import DataError, Problem, first_few
from areaeffect.records import Json
from areaeffect.sources.police_uk.files import PassedOver
from areaeffect.sources.police_uk.lake import AGAIN, Lake, ManifestRow, measured


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """What a whole look at a store found."""

    #: files, rows: listed in the manifest, and what they hold
    files: int
    rows: int
    unlisted: tuple[str, ...]  # Parquet files in its folder that are not of the store, and are never read

    def text(self) -> str:
        """Return the check as lines to read."""
        lines = [f"{self.files:,} files with {self.rows:,} rows: every one as the manifest lists it."]
        return "\n".join([*lines, *(f"{name}: not of the store, not read." for name in self.unlisted)])


def check_store(lake: Lake) -> StoreCheck:
    """Look at every stored file.

    Raises
    ------
    DataError
        With every file that is gone or damaged.
    """
    problems: list[Problem] = []
    whole: dict[str, Path] = {}
    for name in lake.stored():
        try:
            whole[name] = lake.verified(name)
        except DataError as error:
            problems += error.problems
    for name, found in zip(whole, measured(list(whole.values())), strict=True):
        listed = lake.stored()[name]
        if found != listed:
            what = f"the file holds {found.rows} rows, the manifest says {listed.rows}."
            problems.append(Problem(what, str(lake.path(name)), AGAIN))
    if problems:
        raise DataError(problems)
    found_here = lake.path("police_uk").rglob("*.parquet")
    names = {p.relative_to(lake.root).as_posix() for p in found_here}
    return StoreCheck(
        len(lake.stored()),
        sum(f.rows for f in lake.stored().values()),
        tuple(sorted(names - set(lake.stored()))),
    )


#: Reasons of rejected rows that are shown.
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What the files of one command hold; the same whether they were new or already held."""

    #: rows_read, rows_kept, rows_rejected: of all street files given
    rows_read: int
    rows_kept: int
    rows_rejected: int
    files: int  # street files given
    #: months, forces: different ones among them
    months: int
    forces: int
    files_new: int  # street files that were not held before
    files_passed_over: int  # files seen that are not street-level crime
    notes: tuple[str, ...]  # what a reader should know of them

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return asdict(self)

    def text(self) -> str:
        """Return the report as lines to read."""
        lines = [
            f"{self.rows_read:,} rows read: {self.rows_kept:,} kept, {self.rows_rejected:,} "
            f"rejected; {self.files:,} files, {self.months} months, {self.forces} forces."
        ]
        if self.files_new < self.files:
            lines.append(f"{self.files - self.files_new:,} of the files were already in the store.")
        if self.files_passed_over:
            lines.append(f"{self.files_passed_over:,} other files were passed over.")
        return "\n".join([*lines, *self.notes])


def of_other_police(given: Sequence[ManifestRow]) -> list[str]:
    """Name the current files whose rows are of another police force than their name says."""
    return [
        f"{r['file']}: its rows fall within {r['other_police']}, which its name does not say."
        for r in given
        if r.get("other_police") and r["status"] == "current"
    ]


def report_on(given: list[ManifestRow], n_new: int, passed: Sequence[PassedOver]) -> IngestReport:
    """Add up the manifest rows of the files given."""
    rejected = sum(r["rows_rejected"] for r in given)
    notes = [f"{r['file']}: {r['note']}." for r in given if r.get("note")] + of_other_police(given)
    over: dict[str, list[str]] = {}
    for file in passed:
        over.setdefault(file.reason, []).append(file.name)
    notes += [f"Passed over because {why}: {first_few(names)}." for why, names in over.items()]
    reasons: dict[str, int] = {}
    for row in given:
        for reason, count in row["why"].items():
            reasons[reason] = reasons.get(reason, 0) + count
    if rejected:
        notes.append("Rejected, each listed in the store with file and line:")
        ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        notes += [f"  {count:,}  {reason}" for reason, count in ordered[:_SHOWN]]
    return IngestReport(
        rows_read=sum(r["rows_read"] for r in given),
        rows_kept=sum(r["rows_kept"] for r in given),
        rows_rejected=rejected,
        files=len(given),
        months=len({r["month"] for r in given}),
        forces=len({r["force"] for r in given}),
        files_new=n_new,
        files_passed_over=len(passed),
        notes=tuple(notes),
    )

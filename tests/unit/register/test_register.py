"""The register: which areas, in which neighbourhood, from when; every fault with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from areaeffect.errors import AreaEffectError, DataError, StudyError
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind, Periods
from areaeffect.register.initiatives import neighbourhoods_named
from areaeffect.register.registered import neighbourhoods_from_column
from areaeffect.study.model import Initiative
from areaeffect.study.parts import Window

AREAS = np.array([f"E0100000{i}" for i in range(8)])
WINDOW = Window(start="2012-01", end="2015-12")
GOOD = """\
area_code,neighbourhood,start_date,resident_led
E01000003,North,2014-01-01,true
E01000001,North,2014-01-01,true
E01000005,Abbey,2013-06-01,false
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "members.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(
    path: Path, areas: np.ndarray = AREAS, window: Window = WINDOW, start: str | None = None
) -> list[Neighbourhood]:
    initiative = Initiative(name="Residents First", areas=path.name, start=start)
    return neighbourhoods_named(initiative, path, path.parent, None, areas, window)[0]


def problems_of(
    folder: Path, text: str | bytes, kind: type[AreaEffectError] = DataError, **options: Any
) -> list[str]:
    with pytest.raises(kind) as caught:
        read(write(folder, text), **options)
    return [str(p).removeprefix(f"{folder}/") for p in caught.value.problems]


def test_areas_are_grouped_by_neighbourhood(tmp_path: Path) -> None:
    abbey, north = read(write(tmp_path, GOOD))
    assert (abbey.name, north.name) == ("Abbey", "North")
    assert north.areas.tolist() == [1, 3]
    assert (north.start, north.start_kind) == (2014 * 12, PeriodKind.MONTH)
    assert (abbey.resident_led, north.resident_led) == (False, True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_the_encoding_of_the_file_does_not_matter(tmp_path: Path, encoding: str) -> None:
    found = read(write(tmp_path, GOOD.replace("Abbey", "Café").encode(encoding)))
    assert [n.name for n in found] == ["Café", "North"]


def test_a_file_without_neighbourhoods_is_one_of_the_initiatives_name(tmp_path: Path) -> None:
    text = "area_code\nE01000001\nE01000003\n"
    (only,) = read(write(tmp_path, text), start="2014-01")
    assert (only.name, only.areas.tolist(), only.resident_led) == ("Residents First", [1, 3], None)


def test_numbered_periods_start_at_a_number(tmp_path: Path) -> None:
    text = "area_code,start_date\nE01000001,13\n"
    (only,) = read(write(tmp_path, text), window=Window(start="1", end="16"))
    assert (only.start, only.start_kind) == (13, PeriodKind.NUMBER)


def test_a_typo_in_a_code_is_answered_with_the_nearest(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD.replace("E01000005", "E0100000S")) == [
        "members.csv, line 4: area 'E0100000S' is not in the panel. Did you mean 'E01000007'?"
    ]


def test_a_code_like_no_other_is_said_to_be_unknown(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD.replace("E01000005", "Bankside")) == [
        "members.csv, line 4: area 'Bankside' is not in the panel. Check the code."
    ]


def test_a_code_of_another_vintage_is_said_to_be_one(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD.replace("E01000005", "E01033574")) == [
        "members.csv, line 4: area 'E01033574' is not in the panel. "
        "It may be of another census vintage, or outside the table's territory."
    ]


def test_many_unknown_codes_are_counted_not_listed(tmp_path: Path) -> None:
    rows = "".join(f"E0103{i:04d},South,2014-01-01,true\n" for i in range(40))
    found = problems_of(tmp_path, GOOD + rows)
    assert len(found) == 6
    assert found[-1] == "members.csv: 35 more areas are not in the panel."


def test_an_area_belongs_to_one_neighbourhood(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD + "E01000003,Abbey,2013-06-01,false\n") == [
        "members.csv, line 5: area 'E01000003' is in 'North' (line 2) and in 'Abbey'. "
        "An area belongs to one neighbourhood."
    ]


def test_a_neighbourhood_starts_once(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD + "E01000006,North,2014-03-01,true\n") == [
        "members.csv: neighbourhood 'North' has 2 start dates: 2014-01, 2014-03. "
        "A neighbourhood starts once; split it where parts began at different times."
    ]


@pytest.mark.parametrize("start", ["2011-06-01", "2012-01-01", "2016-01-01", "2030-01"])
def test_a_start_needs_periods_on_both_sides(tmp_path: Path, start: str) -> None:
    assert problems_of(tmp_path, GOOD.replace("2013-06-01", start)) == [
        f"members.csv, line 4: 'Abbey' starts at {start}, outside the window 2012-01 to 2015-12. "
        "The window needs periods before and after every start."
    ]


@pytest.mark.parametrize("start", ["2012-02-01", "2015-12-01"])
def test_the_second_and_the_last_period_may_be_a_start(tmp_path: Path, start: str) -> None:
    assert len(read(write(tmp_path, GOOD.replace("2013-06-01", start)))) == 2


def test_a_missing_start_is_named(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD.replace("2013-06-01", "")) == [
        "members.csv, line 4: there is no start_date (neighbourhood 'Abbey'). "
        "Write '2016-01-01', '2016-01' or, for numbered periods, the number."
    ]


@pytest.mark.parametrize("start", ["2013-13-01", "next year", "06/2013/01"])
def test_a_start_that_cannot_be_read_is_named(tmp_path: Path, start: str) -> None:
    assert problems_of(tmp_path, GOOD.replace("2013-06-01", start)) == [
        f"members.csv, line 4: '{start}' is not a start (neighbourhood 'Abbey'). "
        "Write '2016-01-01', '2016-01' or, for numbered periods, the number."
    ]


def test_every_fault_is_shown_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("E01000005", "Bankside").replace("2014-01-01,true\nE01000001", "x,true\nE01000001")
    found = problems_of(tmp_path, text)
    assert [p.partition(": ")[0] for p in found] == [
        "members.csv, line 4",
        "members.csv",
        "members.csv, line 2",
    ]


def test_a_blank_line_does_not_move_the_lines_after_it(tmp_path: Path) -> None:
    text = GOOD.replace("E01000005", "\nBankside")
    (problem,) = problems_of(tmp_path, text)
    assert problem.startswith("members.csv, line 5: area 'Bankside'")


def test_a_word_that_is_neither_true_nor_false_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, GOOD.replace("false", "partly"))
    assert problem == (
        "members.csv, line 4: 'partly' in resident_led is neither true nor false. "
        "Write true, false or nothing."
    )


def test_a_file_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(StudyError) as caught:
        read(tmp_path / "member.csv")
    assert str(caught.value) == (
        f"{tmp_path / 'member.csv'}: there is no such file of areas. Did you mean 'members.csv'?"
    )


def test_the_column_of_codes_must_be_there(tmp_path: Path) -> None:
    assert problems_of(tmp_path, GOOD.replace("area_code", "area_cod")) == [
        "members.csv, line 1: there is no column 'area_code'. Did you mean 'area_cod'?"
    ]
    assert problems_of(tmp_path, "") == ["members.csv: the file is empty. It needs a header and rows."]


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "area_code,neighbourhood,start_date\n") == [
        "members.csv: the file has a header but no rows."
    ]


RICH = """\
area_code,neighbourhood,programme,start_date,end_date,funding,resident_led,round,ward
E01000001,North,Big Local,2014-01-01,2014-12-31,"£1,000,000",true,first,Alder
E01000003,North,Big Local,2014-01-01,,,true,first,Birch
E01000005,North,New Deal,2013-06,2013,2500000.5,false,second,Cedar
"""


def test_a_file_may_hold_several_programmes_and_say_more_of_each_neighbourhood(tmp_path: Path) -> None:
    local, deal = read(write(tmp_path, RICH))
    assert (local.initiative, deal.initiative) == ("Big Local", "New Deal")
    assert (local.name, deal.name) == ("North", "North")
    assert (local.funding, deal.funding) == (1_000_000, 2_500_000.5)
    assert (local.end, deal.end) == (2014 * 12 + 11, 2013 * 12 + 11)
    assert (local.attributes, deal.attributes) == ({"round": "first"}, {"round": "second", "ward": "Cedar"})


def test_an_end_may_stand_in_the_study(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    initiative = Initiative(name="Residents First", areas=path.name, end="2015-06")
    found, _ = neighbourhoods_named(initiative, path, tmp_path, None, AREAS, WINDOW)
    assert {n.end for n in found} == {2015 * 12 + 5}


@pytest.mark.parametrize(
    ("start", "end"), [("2014-03-01", "2014-02-28"), ("2014-03-20", "2014-03-10"), ("2014-03", "2013")]
)
def test_an_end_before_the_start_is_refused(tmp_path: Path, start: str, end: str) -> None:
    text = f"area_code,neighbourhood,start_date,end_date\nE01000001,North,{start},{end}\n"
    assert problems_of(tmp_path, text) == [
        f"members.csv, line 2: 'North' ends ({end}) before it starts ({start}). Correct one of the two dates."
    ]


def test_an_end_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    text = "area_code,neighbourhood,start_date,end_date\nE01000001,North,2014-01,ongoing\n"
    assert problems_of(tmp_path, text) == [
        "members.csv, line 2: 'ongoing' is not an end (neighbourhood 'North'). "
        "Write it like the start, or leave it blank."
    ]


@pytest.mark.parametrize("amount", ["-5", "about a million", "nan", "inf"])
def test_funding_that_is_no_amount_is_refused(tmp_path: Path, amount: str) -> None:
    assert problems_of(tmp_path, RICH.replace("2500000.5", amount)) == [
        f"members.csv, line 4: '{amount}' in funding is not an amount. "
        "Write pounds, such as 1000000, the same in every row of a neighbourhood."
    ]


def test_what_is_said_of_a_neighbourhood_is_said_once(tmp_path: Path) -> None:
    text = RICH.replace(",,,true,first,Birch", ",2015-01,7,false,first,Birch")
    once = "Write the same value in every row of a neighbourhood."
    assert problems_of(tmp_path, text) == [
        f"members.csv: neighbourhood 'North' has 2 end dates: 2014-12-31, 2015-01. {once}",
        f"members.csv: neighbourhood 'North' has 2 amounts of funding: 1,000,000, 7. {once}",
        f"members.csv: neighbourhood 'North' has 2 values of resident_led: False, True. {once}",
    ]


def test_areas_treated_from_one_period_on_form_a_neighbourhood() -> None:
    treated = np.array([[0, 0, 0], [0, 1, 1], [0, 0, 1], [0, 1, np.nan]], dtype=float)
    initiative = Initiative(name="Blocks", treated_column="seattle.t", resident_led=False)
    codes, axis = np.array(["a", "b", "c", "d"]), Periods(PeriodKind.NUMBER, 5, 3)
    (first, second), _ = neighbourhoods_from_column(initiative, treated, axis, codes, "")
    assert (first.name, first.start, first.areas.tolist()) == ("Blocks, start 1", 6, [1, 3])
    assert (second.name, second.start, second.areas.tolist()) == ("Blocks, start 2", 7, [2])


def rows_of(*rows: str) -> str:
    return "area_code,neighbourhood,start_date\n" + "".join(f"{row},2014-01\n" for row in rows)


@pytest.mark.parametrize("between", [";", " ; ", "|", " ", " and "])
def test_several_areas_in_one_cell_are_several_areas(tmp_path: Path, between: str) -> None:
    path = write(tmp_path, rows_of(f"E01000001{between}E01000003,North", "E01000005,Abbey"))
    abbey, north = read(path)
    assert (abbey.areas.tolist(), north.areas.tolist()) == ([5], [1, 3])


def test_several_areas_in_a_quoted_cell_are_several_areas(tmp_path: Path) -> None:
    (north,) = read(write(tmp_path, rows_of('"E01000001, E01000003",North')))
    assert north.areas.tolist() == [1, 3]


def test_a_code_with_its_name_is_one_area(tmp_path: Path) -> None:
    (north,) = read(write(tmp_path, rows_of("E01000001 : Stratford 003B,North")))
    assert north.areas.tolist() == [1]


def test_names_of_a_neighbourhood_that_differ_in_case_are_one(tmp_path: Path) -> None:
    found = read(write(tmp_path, rows_of("E01000001,NORTH", "E01000003,North", "E01000005,North")))
    assert [(n.name, n.areas.tolist()) for n in found] == [("North", [1, 3, 5])]


def test_names_that_differ_in_punctuation_are_refused(tmp_path: Path) -> None:
    said = problems_of(tmp_path, rows_of("E01000001,St Ann's", "E01000003,St. Anns"))
    assert said == [
        "members.csv, line 3: 'St. Anns' may be the same neighbourhood as 'St Ann's'. Write the name one way."
    ]


def test_a_row_without_a_neighbourhood_among_others_is_refused(tmp_path: Path) -> None:
    said = problems_of(tmp_path, rows_of("E01000001,North", "E01000003,"))
    assert said == [
        "members.csv, line 3: 1 entry names no neighbourhood, although others do. Name it in every row."
    ]


def test_two_columns_that_may_hold_the_codes_are_refused(tmp_path: Path) -> None:
    text = "lsoa11cd,lsoa21cd,neighbourhood,start_date\nE01000001,E01000003,North,2014-01\n"
    (said,) = problems_of(tmp_path, text)
    assert "each of the columns lsoa11cd, lsoa21cd may be area_code" in said


@pytest.mark.parametrize(
    ("start", "fix"), [("15", "Write '2016-01-01'"), ("42005", "It looks like a spreadsheet's date")]
)
def test_a_number_is_no_start_in_a_window_of_months(tmp_path: Path, start: str, fix: str) -> None:
    text = f"area_code,neighbourhood,start_date\nE01000001,North,{start}\n"
    (said,) = problems_of(tmp_path, text)
    assert f"'{start}' is not a start" in said
    assert fix in said


def test_a_list_without_a_header_is_told_to_have_one(tmp_path: Path) -> None:
    (said,) = problems_of(tmp_path, "E01000001,North,2014-01\nE01000003,North,2014-01\n")
    assert "Write a header above the first row, such as area_code." in said


def test_a_folder_and_other_kinds_of_file_are_named(tmp_path: Path) -> None:
    assert "the file is JSON" in problems_of(tmp_path, '[{"area_code": "E01000001"}]')[0]
    assert "is a web page" in problems_of(tmp_path, "<table><tr><td>area_code</td></tr></table>")[0]
    with pytest.raises(StudyError, match="this is a folder, not a file of areas"):
        read(tmp_path)

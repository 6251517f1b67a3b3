"""Cells: codes, numbers and the marks for what is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from areaeffect.errors import DataError
from areaeffect.panel import REASONS
from areaeffect.tables.cells import lookalike, picked, plain_code, read_codes, read_numbers


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("c", "suppressed"),
        ("[c]", "suppressed"),
        ("*", "suppressed"),
        ("<5", "suppressed"),
        ("-", "not_published"),
        ("..", "not_published"),
        (":", "not_published"),
        ("z", "not_published"),
        ("[x]", "not_published"),
        ("NA", "not_published"),
        ("", "no_row"),
        (" ", "no_row"),
    ],
)
def test_a_mark_is_missing_with_its_reason_and_never_zero(text: str, reason: str) -> None:
    read = read_numbers(pd.Series([text, "3"]))
    assert np.isnan(read.values[0])
    assert REASONS[read.reasons[0]] == reason
    assert read.values[1] == 3.0


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,234", 1234), ("1 234 567", 1234567), ("12 (p)", 12), ("-5", -5), ("1e3", 1000), ("−2", -2)],
)
def test_a_number_is_read_as_people_write_it(text: str, value: float) -> None:
    assert read_numbers(pd.Series([text])).values[0] == value


@pytest.mark.parametrize("text", ["12,34", "1_000", "seven", "nan", "£5", "12%"])
def test_a_text_that_is_no_number_is_wrong_and_not_missing(text: str) -> None:
    assert read_numbers(pd.Series([text])).wrong.all()


def test_a_count_below_a_limit_says_what_it_is_at_most() -> None:
    read = read_numbers(pd.Series(["<5", "1-4", "0 to 4", "[1–4]", "4-1", "9"]))
    assert read.most[:4].tolist() == [4] * 4
    assert {REASONS[r] for r in read.reasons[:4]} == {"suppressed"}
    assert read.wrong.tolist() == [False, False, False, False, True, False]


def test_a_declared_mark_is_missing_with_the_reason_declared() -> None:
    read = read_numbers(pd.Series(["-99", "3"]), {"-99": "not_located"})
    assert REASONS[read.reasons[0]] == "not_located"


@pytest.mark.parametrize(
    "text",
    [
        *("E01000001", " e01000001 ", "E01000001 : City of London 001A", "E01000001\u200b"),
        *("E01000001, City of London 001A", "City of London 001A (E01000001)"),
        *("City of London 001A - E01000001", "City of London 001A e01000001", "(City) of London [E01000001]"),
    ],
)
def test_a_code_is_found_in_what_is_around_it(text: str) -> None:
    assert plain_code(text) == "E01000001"


@pytest.mark.parametrize(
    "text", ["E01000001, E01000002", "E01000001 and 2 (E01000002)", "XE01000001", "A-E010000012"]
)
def test_two_codes_or_a_part_of_a_longer_one_are_no_code(text: str) -> None:
    assert plain_code(text) == text


def test_composed_and_decomposed_letters_are_one_code() -> None:
    assert plain_code("Abbe\u0301") == plain_code("Abb\u00e9")


def test_codes_that_differ_in_case_are_one_and_it_is_said() -> None:
    codes, notes = read_codes(pd.Series(["T002", "T002", "t002", "T003"]))
    assert codes.tolist() == ["T002", "T002", "T002", "T003"]
    assert notes == ("'t002' is taken as 'T002': codes are compared without case",)


def test_a_letter_of_another_alphabet_is_found_out() -> None:
    assert lookalike("\u0422002", {"T002", "\u0422002"}) == "T002"
    assert lookalike("Caf\u00e9", {"Cafe"}) == ""


def test_a_value_of_a_study_meets_3_as_3_0_and_names_what_meets_nothing() -> None:
    assert picked(np.array(["3.0", "4.0"]), ["3"], "district", "here").tolist() == [True, False]
    assert picked(pd.Series([" North", "south"]), ["north"], "x", "here").tolist() == [True, False]
    with pytest.raises(DataError, match="here: no row has 'Nort' in 'x'"):
        picked(pd.Series(["North"]), ["Nort"], "x", "here")

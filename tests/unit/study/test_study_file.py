"""A study file: every fault at once, each with its line and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from areaeffect.errors import StudyError
from areaeffect.study.file import StudyFile, read_study
from areaeffect.study.parts import default_shared_data, resolve

GOOD = """\
[study]
title = "A town"
window = { start = "2012-01", end = "2013-12" }

[source.crime]
kind = "panel"
path = "crime.csv"
area = "area_code"
period = "month"

[source.areas]
kind = "panel"
path = "areas.csv"
area = "area_code"

[[initiative]]
name = "Residents First"
areas = "members.csv"

[design]
covariates = ["areas.population", { column = "areas.rank", as_of = "2011" }]

[[outcome]]
name = "crime"
family = "crime"
source = "crime"
value = "n"

[analysis]
placebos = 99
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def problems_of(folder: Path, text: str) -> list[str]:
    """Each problem without the folder in front of it."""
    path = write(folder, text)
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert caught.value.exit_code == 2
    return [str(p).removeprefix(f"{folder}/") for p in caught.value.problems]


@pytest.fixture
def good(tmp_path: Path) -> StudyFile:
    return read_study(write(tmp_path, GOOD))


def test_a_good_study_is_read_with_its_defaults(good: StudyFile, tmp_path: Path) -> None:
    study = good.study
    assert good.folder == tmp_path
    assert good.text == GOOD
    assert (study.study.seed, study.register_.buffer_km, study.design.nearest) == (1, 1.0, 60)
    assert [c.column for c in study.design.covariates] == ["areas.population", "areas.rank"]
    assert study.outcome[0].title == "crime"
    assert study.outcome[0].unit_title == "incidents"


def test_a_key_is_found_on_its_line(good: StudyFile) -> None:
    path = good.path
    assert good.where("outcome.0.family") == f"{path}, line 25, outcome.0.family"
    assert good.where("source.areas.path") == f"{path}, line 13, source.areas.path"
    # inside a list on one line the line of the list is the nearest
    assert good.where("design.covariates.1") == f"{path}, line 21, design.covariates.1"
    assert good.where("register.buffer_km") == f"{path}, register.buffer_km"


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert read_study(path).study.study.title == "A town"


def test_a_typo_in_a_key_is_answered_with_the_right_one(tmp_path: Path) -> None:
    assert problems_of(tmp_path, changed('value = "n"', 'valeu = "n"')) == [
        "study.toml, line 27, outcome.0.valeu: 'valeu' is not a key here. Did you mean 'value'?"
    ]


def test_a_typo_in_a_table_is_answered_with_the_right_one(tmp_path: Path) -> None:
    assert problems_of(tmp_path, changed("[analysis]", "[analisys]")) == [
        "study.toml, line 29, analisys: 'analisys' is not a key here. Did you mean 'analysis'?"
    ]


def test_an_unknown_key_that_is_like_no_other_is_answered_with_all(tmp_path: Path) -> None:
    assert problems_of(tmp_path, changed("placebos = 99", "zzz = 99")) == [
        "study.toml, line 30, analysis.zzz: 'zzz' is not a key here. "
        "Allowed: also_with, checks, estimators, event_time_months, "
        "groups, linearised, looks, placebo_neighbourhoods, placebos, rings_km."
    ]


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    assert problems_of(tmp_path, changed('title = "A town"\n', "")) == [
        "study.toml, line 1, study.title: 'title' is missing. Add it; `areaeffect init` shows an example."
    ]


def test_a_word_that_is_not_allowed_is_answered_with_those_that_are(tmp_path: Path) -> None:
    assert problems_of(tmp_path, changed('family = "crime"', 'family = "crimes"')) == [
        "study.toml, line 25, outcome.0.family: 'crimes' is not allowed. Did you mean 'crime'? "
        "Allowed: 'crime', 'antisocial_behaviour', 'criminal_damage', 'environment', "
        "'empty_homes', 'social_relationships' or 'other'."
    ]


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ('{ start = "2013-01", end = "2012-12" }', "the window ends (2012-12) before it begins (2013-01)."),
        (
            '{ start = "2012-01", end = "2012" }',
            "start is a month and end is a year; write both the same way.",
        ),
    ],
)
def test_a_window_must_be_a_span(tmp_path: Path, window: str, message: str) -> None:
    text = changed('{ start = "2012-01", end = "2013-12" }', window)
    assert problems_of(tmp_path, text) == [f"study.toml, line 3, study.window: {message}"]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('start = "2012-01"', 'start = "2012-15"', "study.window.start"),
        ('as_of = "2011"', 'as_of = "2012-15"', "design.covariates.1.as_of"),
        ('areas = "members.csv"', 'areas = "members.csv"\nstart = "2012-15"', "initiative.0.start"),
    ],
)
def test_a_period_that_is_none_is_refused_wherever_it_stands(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    (problem,) = problems_of(tmp_path, changed(old, new))
    assert key in problem
    assert "'2012-15' is not a period; write '2012-04', '2012-Q2', '2012', '2012/13' or a number." in problem


def test_areas_and_a_treated_column_exclude_each_other(tmp_path: Path) -> None:
    text = changed('areas = "members.csv"', 'areas = "members.csv"\ntreated_column = "crime.t"')
    assert problems_of(tmp_path, text) == [
        "study.toml, line 16, initiative.0: give one of `areas` (a file), "
        "`treated_column` and `start_column` ('source.column')."
    ]


def test_a_source_that_is_not_declared_is_named_where_it_is_used(tmp_path: Path) -> None:
    text = changed('source = "crime"', 'source = "crimes"').replace('"areas.pop', '"place.pop')
    assert problems_of(tmp_path, text) == [
        "study.toml, line 21, design.covariates.0: source 'place' is not declared. Declared: areas, crime.",
        "study.toml, line 26, outcome.0.source: source 'crimes' is not declared. Did you mean 'crime'?",
    ]


def test_two_outcomes_may_not_share_a_name(tmp_path: Path) -> None:
    again = '[[outcome]]\nname = "crime"\nfamily = "crime"\nsource = "crime"\n'
    (problem,) = problems_of(tmp_path, GOOD + "\n" + again)
    assert problem.endswith("two outcomes are named 'crime'. Names must differ.")


def test_two_initiatives_may_not_share_a_name(tmp_path: Path) -> None:
    again = '\n[[initiative]]\nname = "Residents First"\nareas = "more.csv"\n'
    (problem,) = problems_of(tmp_path, GOOD + again)
    assert problem.endswith("two initiatives are named 'Residents First'. Names must differ.")


def test_every_fault_is_shown_at_once(tmp_path: Path) -> None:
    text = (
        GOOD.replace('title = "A town"\n', "")
        .replace('family = "crime"', 'family = "fly-tipping"')
        .replace("placebos = 99", "placebos = 5")
        .replace("[design]", "[design]\nneerest = 5")
    )
    found = problems_of(tmp_path, text)
    assert [p.partition(": ")[0] for p in found] == [
        "study.toml, line 1, study.title",
        "study.toml, line 20, design.neerest",
        "study.toml, line 25, outcome.0.family",
        "study.toml, line 30, analysis.placebos",
    ]
    assert "input should be greater than or equal to 39." in found[-1]


def test_a_toml_syntax_error_names_its_line(tmp_path: Path) -> None:
    assert problems_of(tmp_path, changed('value = "n"', "value = n")) == [
        "study.toml, line 27: not valid TOML: Invalid value. Text goes in quotes; one key a line."
    ]


def test_a_key_given_twice_is_a_syntax_error(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, changed('value = "n"', 'value = "n"\nvalue = "m"'))
    assert problem.startswith("study.toml, line 28: not valid TOML: Cannot overwrite a value.")


def test_a_study_that_is_not_utf_8_says_at_which_byte(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes('title = "Café"'.encode("cp1252"))
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert str(caught.value) == f"{path}: the file is not UTF-8 (byte 12). Save it as UTF-8."


def test_a_study_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(StudyError) as caught:
        read_study(tmp_path / "studdy.toml")
    assert str(caught.value) == (
        f"{tmp_path / 'studdy.toml'}: there is no such study file. Did you mean 'study.toml'?"
    )


def test_an_empty_study_lists_what_it_needs(tmp_path: Path) -> None:
    assert [p.partition(": ")[2].partition(" ")[0] for p in problems_of(tmp_path, "")] == [
        "'study'",
        "'source'",
        "'initiative'",
        "'outcome'",
    ]


def test_paths_are_relative_to_the_study(tmp_path: Path) -> None:
    assert resolve("crime.csv", tmp_path) == tmp_path / "crime.csv"
    assert resolve("/data/crime.csv", tmp_path) == Path("/data/crime.csv")


def test_the_shared_data_folder_expands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", "/elsewhere")
    assert resolve("${AREAEFFECT_SHARED_DATA}/a.csv", tmp_path) == Path("/elsewhere/a.csv")


def test_the_shared_data_lie_beside_the_checkout_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AREAEFFECT_SHARED_DATA", raising=False)
    checkout = tmp_path / "checkout"
    (checkout / "studies" / "one").mkdir(parents=True)
    (checkout / "pyproject.toml").touch()
    assert default_shared_data(checkout / "studies" / "one") == tmp_path / "shared" / "data"
    assert default_shared_data(tmp_path).name == "data"

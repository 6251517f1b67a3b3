"""A question becomes a study file that says what was asked, and nothing else moves."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from areaeffect.compare.question import Question, areas_csv, compose, key_of_question, refuse_question
from areaeffect.errors import StudyError
from areaeffect.study.file import parse_study, read_base
from tests.shared.small_study import CODES, write_small_study

QUESTION = Question(
    areas=("T009", "T010"), start="2013-01", name="Abbey & “Bridge”", placebos=199, nearest=30, buffer_km=0.5
)
ATLAS = '\n[atlas]  # names of places\nplaces = "places.csv"\n[[atlas.layers]]\ncolumn = "areas.x"\n'


@pytest.fixture
def base(tmp_path: Path) -> str:
    return write_small_study(tmp_path).read_text(encoding="utf-8")


def test_only_what_the_question_settles_is_changed(base: str) -> None:
    before, after = tomllib.loads(base), tomllib.loads(compose(base, QUESTION))
    assert after["initiative"] == [{"name": QUESTION.name, "areas": "chosen_areas.csv"}]
    assert after["study"].pop("exploratory") is True
    assert after["study"]["title"] == "Abbey & “Bridge”: what changed after 2013-01"
    assert after["study"]["question"].startswith("Did Abbey & “Bridge” change more")
    assert after["analysis"]["placebos"] == 199
    assert after["design"]["nearest"] == 30
    assert after["register"]["buffer_km"] == 0.5
    for table, keys in (
        ("study", ("title", "question")),
        ("analysis", ("placebos",)),
        ("design", ("nearest",)),
        ("register", ("buffer_km",)),
    ):
        for key in keys:
            before[table].pop(key, None)
            after[table].pop(key, None)
    del before["initiative"], after["initiative"]
    assert after == before


def test_comments_stay_and_the_atlas_goes(base: str) -> None:
    noted = "# our crime\n[source.crime]"
    text = compose(base.replace("[source.crime]", noted) + ATLAS, QUESTION)
    assert noted in text
    assert "atlas" not in text
    assert "names of places" not in text


def test_a_base_without_initiative_or_register_gets_both(base: str) -> None:
    head, _, rest = base.partition("[[initiative]]")
    bare = head + rest[rest.index("[design]") :]
    after = tomllib.loads(compose(bare, QUESTION))
    assert after["initiative"][0]["areas"] == "chosen_areas.csv"
    assert after["register"] == {"buffer_km": 0.5}


def test_the_same_question_gives_the_same_text_and_reads_as_a_study(base: str, tmp_path: Path) -> None:
    text = compose(base, QUESTION)
    assert text == compose(base, QUESTION)
    assert parse_study(text, tmp_path / "study.toml").study.study.exploratory
    assert compose(text, QUESTION).count("[[initiative]]") == 1


def test_areas_are_listed_with_name_and_start() -> None:
    assert areas_csv(QUESTION).splitlines() == [
        "area_code,neighbourhood,start_date",
        'T009,"Abbey & “Bridge”",2013-01',
        'T010,"Abbey & “Bridge”",2013-01',
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"areas": ()}, "areas"),
        ({"areas": tuple(CODES[:20])}, "areas"),
        ({"start": "2013"}, "start"),
        ({"start": "2012-01"}, "start"),
        ({"start": "2014-01"}, "start"),
        ({"start": "x" * 300}, "start"),
        ({"name": '=HYPERLINK("x")'}, "name"),
        ({"name": "A\nB"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a" * 81}, "name"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_field(
    base: str, tmp_path: Path, change: dict[str, object], field: str
) -> None:
    file = read_base(tmp_path / "study.toml")
    refuse_question(file, QUESTION, len(CODES))
    with pytest.raises(StudyError) as refused:
        refuse_question(file, replace(QUESTION, **change), len(CODES))
    assert {p.where for p in refused.value.problems} == {field}
    assert all(len(str(p)) < 300 and p.fix for p in refused.value.problems)


def test_the_key_moves_with_all_that_an_answer_depends_on(base: str) -> None:
    keys = [
        key_of_question(base, QUESTION, "1", ("a",)),
        key_of_question(base + "\n", QUESTION, "1", ("a",)),
        key_of_question(base, replace(QUESTION, nearest=60), "1", ("a",)),
        key_of_question(base, QUESTION, "2", ("a",)),
        key_of_question(base, QUESTION, "1", ("b",)),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == key_of_question(base, Question.from_dict(QUESTION.to_dict()), "1", ("a",))

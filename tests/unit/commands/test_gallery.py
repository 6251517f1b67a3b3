"""The gallery of known answers: its catalogue, what counts as found again, what is missing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from areaeffect.commands.demo import copy_example, studies_folder
from areaeffect.commands.gallery import AnswerRow, Kind, KnownAnswer, catalogue, figures, gallery, page, text
from areaeffect.errors import DataError, StudyError
from areaeffect.study.file import read_study

KNOWN = KnownAnswer(
    name="made", title="Made: a thing", data="made.csv: of ours", published=-2.0, error=1.0,
    why="few places",
)  # fmt: skip
HALF = 1.95996


def row(low: float, high: float, **changes: object) -> AnswerRow:
    return AnswerRow(known=replace(KNOWN, **changes), estimate=(low + high) / 2, low=low, high=high)


def test_every_programme_has_a_study_and_says_whose_its_answer_is(tmp_path: Path) -> None:
    folder = copy_example("gallery", tmp_path)
    copy_example("london", folder / "london")
    studies = studies_folder(None)
    assert studies is not None
    known = catalogue()
    assert len({k.name for k in known}) == len(known)
    for k in known:
        assert k.data, k.name
        if not k.pretended:
            assert all((k.source, k.shares, k.differs)), k.name
        if k.kind == Kind.CROSS_CHECK:
            continue
        path = folder / (k.study or f"{k.name}.toml")
        if k.study.startswith("studies/"):
            path = studies.parent / k.study
        study = read_study(path).study
        assert not k.outcome or k.outcome in {o.name for o in study.outcome}


def test_no_study_file_of_the_gallery_is_without_an_answer(tmp_path: Path) -> None:
    folder = copy_example("gallery", tmp_path)
    asked = {k.study or f"{k.name}.toml" for k in catalogue()}
    assert {p.name for p in folder.glob("*.toml")} - asked == {"answers.toml"}


def test_the_gallery_holds_as_many_answers_as_it_should() -> None:
    kinds = [k.kind for k in catalogue()]
    assert kinds.count(Kind.PUBLISHED) >= 10
    assert kinds.count(Kind.NULL) >= 5
    assert kinds.count(Kind.CERTAIN) >= 1


@pytest.mark.parametrize(
    ("found", "again"),
    [
        (row(-2 - 1.49 * HALF, -2 + 1.49 * HALF), True),
        (row(-2 - 1.51 * HALF, -2 + 1.51 * HALF), False),
        (row(-1.9, 1.0), False),
        (row(-3, -1, kind=Kind.OTHER_OUTCOME), False),
        (row(-3, -1, error=None), False),
    ],
)
def test_an_effect_is_found_again_inside_an_interval_that_is_hardly_wider(
    found: AnswerRow, again: bool
) -> None:
    assert found.is_found_again is again


def test_a_published_interval_of_ninety_per_cent_is_brought_to_ninety_five() -> None:
    ninety = replace(KNOWN, error=None, low=-3.64485, high=-0.35515, level=0.9)
    assert ninety.half_width == pytest.approx(HALF, rel=1e-4)


def test_of_a_null_the_interval_must_hold_zero() -> None:
    assert row(-1, 1, kind=Kind.NULL, published=None, error=None).holds
    assert row(0.1, 1, kind=Kind.NULL, published=None, error=None).holds is False


def test_a_miss_stays_with_its_cause_and_a_hit_needs_none() -> None:
    assert "few places" in page([row(-1.9, 1.0)])
    assert "few places" not in page([row(-3, -1)])
    null = row(0.1, 1, kind=Kind.NULL, published=None, error=None)
    assert "**no**" in page([null])
    assert "few places" in page([null])


def test_counts_tell_published_effects_from_nulls() -> None:
    null = row(-1, 1, kind=Kind.NULL, published=None, error=None)
    said = figures([row(-3, -1), row(-1.9, 1), null, AnswerRow(known=KNOWN, missing="made.csv")])
    assert "3 of 4 known answers were run." in said
    assert "2 are published effects: 1 lie inside our interval, 1 of them" in said
    assert "Of 1 programmes that did nothing, the interval of 1 holds zero." in said


def test_an_unknown_programme_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(StudyError, match=r"'prop98'.*prop99"):
        gallery(["prop98"], None, 1, lambda *_: None)


def test_without_its_data_a_programme_says_where_they_are_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(tmp_path))
    monkeypatch.setenv("AREAEFFECT_FETCHED", str(tmp_path))
    names = ["prop99", "chicago", "universal_credit"]
    with pytest.raises(DataError) as refused:
        gallery(names, None, 1, lambda *_: None)
    said = [str(p) for p in refused.value.problems]
    assert [s.partition(":")[0].partition(",")[0] for s in said] == names
    assert "data set of the R package synthdid" in said[0]
    assert "Stat-Xplore" in said[2]
    assert not any(re.search(r"Traceback|NoneType", s) for s in said)


@pytest.mark.slow
def test_the_packaged_programmes_run_where_nothing_else_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(tmp_path))
    rows = gallery(["prop99", "big_local"], None, 1, lambda *_: None)
    assert [bool(r.missing) for r in rows] == [True, False]
    assert rows[1].holds
    said = text(rows)
    assert "prop99: not run" in said
    assert "AREAEFFECT_SHARED_DATA" in said
    assert "## Not run" in page(rows)

"""Families without an outcome have their row; the table of estimands is the code's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from areaeffect import wording
from areaeffect.commands.evaluate import evaluate_into
from areaeffect.further.families import estimands_page
from areaeffect.outcomes import BEST_GRADE, FAMILIES, FamilyName, estimand
from areaeffect.results import Result, Verdict
from tests.conftest import REPOSITORY
from tests.shared.small_study import write_small_study

DOCS = REPOSITORY / "docs"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    folder = tmp_path_factory.mktemp("families")
    return evaluate_into(write_small_study(folder), folder / "out", threads=1), folder / "out"


def test_a_study_may_name_every_family_and_other() -> None:
    assert get_args(FamilyName) == (*FAMILIES, "other")


def test_every_family_has_a_row(run: tuple[Result, Path]) -> None:
    result, out = run
    rows = json.loads((out / "findings.json").read_text(encoding="utf-8"))["findings"]
    assert {row["family"] for row in rows} == set(FAMILIES)
    bare = [f for f in result.findings if not f.outcome]
    assert [f.family for f in bare] == [key for key in FAMILIES if key != "crime"]
    assert {f.verdict for f in bare} == {Verdict.NOT_ESTIMABLE}
    assert {f.estimate for f in bare} == {None}
    assert not any(f.primary for f in bare)


def test_a_missing_family_says_what_would_make_it_estimable(run: tuple[Result, Path]) -> None:
    result, out = run
    homes = next(f for f in result.findings if f.family == "empty_homes")
    assert homes.caveats == (
        "the study has no outcome of this family; a level claim needs one count by area: Census "
        "2021 vacant dwellings (`published`), or the council's own council-tax extract",
    )
    assert wording.sentence(homes) == (
        "Residents First (3 neighbourhoods, 6 areas): empty homes could not be estimated: "
        f"{homes.caveats[0]}."
    )
    page = (out / "annex.html").read_text(encoding="utf-8")
    assert 'id="families-without-outcome"' in page
    assert "5 of the 6 outcome families have no outcome in this study" in page


def test_missing_families_are_no_part_of_the_answer(run: tuple[Result, Path]) -> None:
    page = (run[1] / "annex.html").read_text(encoding="utf-8")
    assert "1 outcome family: 1 where the data cannot tell" in page
    assert "Further findings, outside the main set" not in page


def test_the_table_of_estimands_is_the_codes() -> None:
    text = (DOCS / "estimands.md").read_text(encoding="utf-8")
    assert text == estimands_page(), "run `python docs/make_estimands.py`"
    for family in FAMILIES.values():
        assert text.count(f"(`{family.key}`) | `level`") == 1
        assert text.count(f"(`{family.key}`) | `change`") == 1


def test_a_level_is_never_called_an_effect() -> None:
    for form in ("ratio", "additive"):
        assert "effect" not in estimand("level", form, "count")
        assert "realised effect" in estimand("change", form, "count")
    assert BEST_GRADE["level"] < BEST_GRADE["change"]

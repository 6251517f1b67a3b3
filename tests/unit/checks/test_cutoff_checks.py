"""The checks at the cut: each warns of what it was made for, and holds where nothing is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from areaeffect.checks.at_the_cut import evenly_spaced
from areaeffect.checks.base import CheckedFinding, CheckStatus
from areaeffect.commands.evaluate import evaluate
from areaeffect.estimate.discontinuity import bunching_at, jump_at
from areaeffect.report.outcome_sections import method
from areaeffect.results import Result
from tests.shared.cutoff_study import write_cutoff_study

AT_THE_CUT = ("bunching", "cut_balance", "discontinuity", "bandwidth", "shifted_cuts")
EFFECT = -0.25


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return evaluate(write_cutoff_study(tmp_path_factory.mktemp("cut"), EFFECT), threads=1)


def _of(result: Result, name: str) -> CheckedFinding:
    annex = result.annex("checks")
    assert annex is not None
    return next(c for c in annex.found.checks if c.name == name).findings[0]


def test_the_effect_is_found_and_judged(result: Result) -> None:
    found = next(f for f in result.findings if f.neighbourhood is None and f.form == "ratio")
    assert found.estimate == pytest.approx(EFFECT, abs=0.03)
    assert found.verdict == "better"


@pytest.mark.parametrize("name", AT_THE_CUT)
def test_no_check_at_the_cut_warns_where_the_rule_was_kept(result: Result, name: str) -> None:
    assert _of(result, name).status is CheckStatus.HOLDS


def test_the_jump_at_the_cut_agrees_with_the_finding(result: Result) -> None:
    numbers = _of(result, "discontinuity").numbers
    assert float(numbers["low"] or 0) < EFFECT < float(numbers["high"] or 0)


def test_scores_moved_across_the_cut_are_seen() -> None:
    score = np.random.default_rng(2).normal(0.5, 1.0, 4000)
    plain, moved = bunching_at(score), score.copy()
    moved[(score > -0.15) & (score < 0)] *= -1.0
    after = bunching_at(moved)
    assert plain is not None
    assert after is not None
    assert plain.p_value > 0.05
    assert after.p_value < 0.01
    assert after.above > after.below


def test_bunching_is_found_where_there_is_none_one_time_in_twenty() -> None:
    rng = np.random.default_rng(4)
    found = [bunching_at(rng.normal(0.8, 1.0, 600)) for _ in range(400)]
    share = np.mean([f.p_value <= 0.05 for f in found if f is not None])
    assert 0.02 <= share <= 0.09


def test_the_interval_of_the_jump_covers_it_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    covered = []
    for _ in range(300):
        x = rng.normal(0, 1, 500)
        jump = jump_at(x, np.sin(x) + 0.5 * (x >= 0) + rng.normal(0, 0.5, 500))
        assert jump is not None
        covered.append(jump.low <= 0.5 <= jump.high)
    assert 0.9 <= np.mean(covered) <= 0.98


def test_a_jump_does_not_depend_on_the_units_of_either_variable() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(0, 1, 400)
    y = x + 0.4 * (x >= 0) + rng.normal(0, 0.3, 400)
    one, other = jump_at(x, y), jump_at(1000 * x, 1e-3 * y + 7)
    assert one is not None
    assert other is not None
    assert other.estimate == pytest.approx(1e-3 * one.estimate, rel=1e-6)
    assert other.robust_error == pytest.approx(1e-3 * one.robust_error, rel=1e-6)
    assert other.bandwidth == pytest.approx(1000 * one.bandwidth, rel=1e-6)


def test_too_few_places_on_one_side_give_no_estimate() -> None:
    x = np.concatenate([np.linspace(-1, -0.1, 10), np.linspace(0, 1, 100)])
    assert jump_at(x, x) is None
    assert bunching_at(x) is None


@pytest.mark.parametrize(
    ("score", "is_rank"), [(np.arange(1.0, 50.0), True), (np.arange(50.0) ** 1.1, False)]
)
def test_a_rank_is_told_from_a_score(score: np.ndarray, is_rank: bool) -> None:
    assert evenly_spaced(score) == is_rank


def test_a_study_without_a_rule_has_no_check_at_the_cut(tmp_path: Path) -> None:
    study = write_cutoff_study(tmp_path)
    text = study.read_text(encoding="utf-8").splitlines()
    kept = [line for line in text if not line.startswith(("score =", "chosen =", "cap ="))]
    study.write_text("\n".join(kept) + "\n", encoding="utf-8")
    annex = evaluate(study, threads=1).annex("checks")
    assert annex is not None
    assert not {c.name for c in annex.found.checks} & set(AT_THE_CUT)


def test_the_method_says_how_places_and_placebos_were_placed(result: Result) -> None:
    text = str(method(result))
    assert "the highest 30" in text
    assert "Placebo programmes are placed by the rule of the programme" in text
    assert "where chance put them" not in text
    assert "its 60 nearest areas of the pool" in text

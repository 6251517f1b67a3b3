"""The multiverse: every branch shown, one joint test, the same bytes however it is run."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.assembly.assemble import assemble
from areaeffect.commands.multiverse import make_universe, multiverse
from areaeffect.design.programme import Cohort
from areaeffect.errors import DataError, StudyError
from areaeffect.estimate.counterfactual import Sums
from areaeffect.estimate.inference import around_zero
from areaeffect.findings.cohorts import ClaimCohorts, _half
from areaeffect.findings.plan import make_plan
from areaeffect.multiverse.branches import LATER_HALF, TOTALS, WHOLE, Choice, grid, own_choice, run_branch
from areaeffect.multiverse.curves import (
    MIN_DRAWS,
    Branch,
    Together,
    around_zero_each,
    curve_band,
    joint_test,
    two_tailed,
)
from areaeffect.multiverse.section import as_text, curve_chart, curve_rows, joint_sentence
from areaeffect.records import rows_of
from areaeffect.report import faces
from areaeffect.report.files import read_result
from areaeffect.results import Result
from areaeffect.study import file as study_file
from areaeffect.study.file import read_study
from areaeffect.wording.numbers import number
from tests.shared.small_study import edit, edit_table, write_small_study

DRAWS = 39


def small(folder: Path) -> Path:
    """Without outlines there is one buffer, and half as many branches to wait for."""
    study = write_small_study(folder)
    edit(study, 'boundaries = "areas.geojson"\n', "")
    return study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def done(study: Path) -> tuple[Path, Result]:
    out = study.parent / "out"
    return out, multiverse(study, out, DRAWS, threads=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# ---------------------------------------------------------------- the joint test


def test_the_joint_test_of_effects_like_placebos_is_the_rank_of_their_median() -> None:
    rng = np.random.default_rng(1)
    placebos = rng.normal(size=(99, 7))
    medians = np.median(placebos, axis=1)
    found = joint_test(placebos[3], placebos)
    tail = min((medians <= medians[3]).sum(), (medians >= medians[3]).sum())
    assert found.median_p == pytest.approx(min(1.0, 2 * (1 + tail) / 100))
    assert found.n_draws == 99
    assert found.n_branches == 7


def test_an_effect_beyond_every_placebo_has_the_smallest_p() -> None:
    placebos = np.random.default_rng(2).normal(size=(199, 12))
    found = joint_test(np.full(12, -9.0), placebos)
    assert found.median_p == pytest.approx(2 / 200)
    assert found.share_below == 1.0
    assert found.median_low is not None
    assert found.median_low > -9.0


def test_the_size_of_the_joint_test_is_nominal_where_branches_are_nearly_one() -> None:
    """Same generator for real and placebo, branches correlated at 0.9: a check of the code."""
    rng = np.random.default_rng(5)
    n_runs = 400
    rejected = 0
    for _ in range(n_runs):
        shared, own = rng.normal(size=(80, 1)), rng.normal(size=(80, 10))
        curves = 3 * shared + own
        found = joint_test(curves[0], curves[1:])
        assert found.median_p is not None
        rejected += found.median_p <= 0.05
    error = np.sqrt(0.05 * 0.95 / n_runs)
    assert abs(rejected / n_runs - 0.05) <= 4 * error


def test_placebos_of_each_branch_are_held_around_zero_where_they_are_known() -> None:
    drawn = np.random.default_rng(6).normal(0.5, 1.0, (60, 3))
    drawn[:7, 1], drawn[:, 2] = np.nan, np.nan
    moved = around_zero_each(drawn, 0.3)
    np.testing.assert_array_equal(np.isnan(moved), np.isnan(drawn))
    np.testing.assert_array_equal(moved[:, 0], around_zero(drawn[:, 0], 0.3))
    np.testing.assert_array_equal(moved[7:, 1], around_zero(drawn[7:, 1], 0.3))


def test_a_programme_counts_where_half_the_branches_could_be_computed() -> None:
    placebos = np.random.default_rng(3).normal(size=(60, 4))
    placebos[:10, :2] = np.nan  # half: counts
    placebos[10:20, :3] = np.nan  # less: does not
    found = joint_test(np.zeros(4), placebos)
    assert found.n_draws == 50


def test_too_few_programmes_carry_no_joint_test() -> None:
    found = joint_test(np.zeros(3), np.zeros((MIN_DRAWS - 1, 3)))
    assert (found.median_p, found.share_p, found.median_low) == (None, None, None)
    assert curve_band(np.zeros((MIN_DRAWS - 1, 3))) is None


def test_the_band_is_that_of_sorted_placebo_curves() -> None:
    placebos = np.random.default_rng(4).normal(size=(500, 9))
    band = curve_band(placebos)
    assert band is not None
    low, high = band
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()
    inside = (np.sort(placebos, axis=1) >= low) & (np.sort(placebos, axis=1) <= high)
    np.testing.assert_allclose(inside.mean(axis=0), 0.95, atol=0.01)


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_two_tailed_lies_between_its_ends(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=n)
    found = two_tailed(float(rng.normal()), drawn)
    assert min(1.0, 2 / (n + 1)) <= found <= 1.0
    assert two_tailed(0.3, drawn) == pytest.approx(two_tailed(-0.3, -drawn))


# ---------------------------------------------------------------- the branches


def test_the_grid_holds_every_combination_and_the_study_once(study: Path) -> None:
    found = grid(read_study(study).study, [0.0, 1.0])
    assert len(found) == len(set(found)) == 2 * 2 * 6 * 2
    assert found.count(own_choice(read_study(study).study, 0.0)) == 1
    assert {c.weighting for c in found} == {
        "chi-square, 15 nearest", "chi-square, whole pool", "entropy, 15 nearest",
        "entropy, whole pool", "5 nearest areas", "nearest area",
    }  # fmt: skip


def test_a_named_library_is_a_branch_of_the_studys_own_choices(tmp_path: Path) -> None:
    path = small(tmp_path)
    edit(path, "placebos = 39", 'placebos = 39\nestimators = ["counterfactual", "poisson"]')
    found = grid(read_study(path).study, [0.0])
    own = own_choice(read_study(path).study, 0.0)
    assert replace(own, library="poisson") in found


class Unadjusted(ClaimCohorts):
    """Changes as weighting alone gives them: nothing is taken off for what it left unlike."""

    def _with_growth(self, added: Sums, _cohort: Cohort, _position: int) -> Sums:
        return added


def test_a_library_branch_sends_the_same_placebo_programmes_through_the_library(tmp_path: Path) -> None:
    """Poisson with one start is the ratio of totals: for the real programme and each placebo.

    A library knows nothing of what weighting left unlike, so ours is compared without that.
    """
    path = small(tmp_path)
    edit(path, "placebos = 39", 'placebos = 39\nestimators = ["counterfactual", "poisson"]')
    file = read_study(path)
    data = assemble(file)
    universe, choices = make_universe(file.study, data, make_plan(file, data, "test"), 6)
    arm = universe.arm
    bare = Unadjusted(**{f.name: getattr(arm, f.name) for f in fields(arm) if f.init})
    universe = replace(universe, arm=bare, machine=replace(universe.machine, arms=(bare,)))
    own = own_choice(file.study, 0.0)
    (library,) = [c for c in choices if c.library]
    curves = json.loads(run_branch(universe, own))["curves"]
    (ratio,) = [c for c in curves if (c["estimator"], c["form"]) == (TOTALS, "ratio")]
    (poisson,) = json.loads(run_branch(universe, library))["curves"]
    assert poisson["estimator"] == "Poisson fixed effects"
    assert poisson["effect"] == pytest.approx(ratio["effect"], abs=1e-7)
    np.testing.assert_allclose(poisson["placebos"], ratio["placebos"], atol=1e-7)


@pytest.mark.parametrize(
    ("before", "per_year", "kept"), [(48, 12, 24), (30, 12, 12), (18, 12, 9), (12, None, 6), (5, 1, 3)]
)
def test_the_later_half_is_whole_years_where_it_can_be(before: int, per_year: int | None, kept: int) -> None:
    assert _half(before, per_year) == kept


def test_at_least_48_branches_are_shown_with_their_choices(done: tuple[Path, Result]) -> None:
    _, result = done
    annex = result.annex("multiverse")
    assert annex is not None
    rows = annex.table("multiverse").records()
    (joint,) = annex.table("multiverse_joint").records()
    assert joint["n_branches"] + joint["n_missing"] == len(rows) >= 48
    told = ("buffer_km", "common_support", "weighting", "window", "estimator", "form")
    assert len({tuple(row[k] for k in told) for row in rows}) == len(rows)
    for row in rows:
        assert (row["effect"] is None) == bool(row["reason"])
    ranked = [row["effect"] for row in rows if row["rank"] is not None]
    assert ranked == sorted(ranked)
    assert joint["median"] == pytest.approx(np.expm1(np.median(np.log1p(ranked))), abs=1e-9)
    assert joint["share_below"] == pytest.approx(np.mean(np.array(ranked) < 0))


def test_the_studys_own_branch_is_the_finding(done: tuple[Path, Result]) -> None:
    _, result = done
    annex = result.annex("multiverse")
    assert annex is not None
    (own,) = [row for row in annex.table("multiverse").records() if row["is_study"]]
    finding = next(f for f in result.findings if f.form == "ratio" and f.neighbourhood is None)
    assert own["effect"] == pytest.approx(finding.estimate, abs=1e-11)


def test_a_second_run_computes_nothing_and_changes_nothing(
    study: Path, done: tuple[Path, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = done
    before = contents(out)
    monkeypatch.setattr("areaeffect.commands.multiverse.run_branch", lambda *_: pytest.fail("computed again"))
    multiverse(study, out, DRAWS, threads=1)
    assert contents(out) == before


@pytest.mark.parametrize("is_damaged", [True, False])
def test_a_changed_branch_file_is_named_and_left_and_computed_again_once_it_is_gone(
    study: Path, done: tuple[Path, Result], tmp_path: Path, is_damaged: bool
) -> None:
    """What somebody changed is theirs; a damaged branch never enters a curve."""
    out = tmp_path / "out"
    shutil.copytree(done[0], out)
    before = contents(out)
    first, second = sorted((out / "branches").iterdir())[:2]
    first.write_bytes(first.read_bytes()[:100] if is_damaged else second.read_bytes())
    changed = contents(out)
    with pytest.raises(StudyError, match=f"'branches/{first.name}', which was changed"):
        multiverse(study, out, DRAWS, threads=1)
    assert contents(out) == changed
    first.unlink()
    multiverse(study, out, DRAWS, threads=1)
    assert contents(out) == before


def test_a_file_of_somebody_else_among_the_branches_is_named_and_left(
    study: Path, done: tuple[Path, Result], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(done[0], out)
    (out / "branches" / "notes.txt").write_text("mine")
    before = contents(out)
    with pytest.raises(StudyError, match=r"'branches/notes\.txt', which this program did not write"):
        multiverse(study, out, DRAWS, threads=1)
    assert contents(out) == before


def test_results_of_another_plan_are_refused(done: tuple[Path, Result], tmp_path: Path) -> None:
    out, _ = done
    other = small(tmp_path)
    edit(other, "seed = 4", "seed = 5")
    with pytest.raises(StudyError, match="results of another plan"):
        multiverse(other, out, DRAWS, threads=1)


def test_a_study_of_levels_alone_has_no_branches(tmp_path: Path) -> None:
    path = small(tmp_path)
    edit(path, 'value = "n"', 'value = "n"\nclaim = "level"')
    with pytest.raises(StudyError, match="only those have branches"):
        multiverse(path, tmp_path / "out", DRAWS, threads=1)


def test_an_outcome_that_is_zero_everywhere_has_branches_with_reasons_only(tmp_path: Path) -> None:
    path = small(tmp_path)
    edit_table(tmp_path / "crime.csv", lambda t: t.assign(n="0"))
    result = multiverse(path, tmp_path / "out", DRAWS, threads=1)
    annex = result.annex("multiverse")
    assert annex is not None
    (joint,) = annex.table("multiverse_joint").records()
    assert (joint["n_branches"], joint["median"], joint["median_p"]) == (0, None, None)
    reasons = {row["reason"] for row in annex.table("multiverse").records()}
    assert reasons == {"a total is zero, so there is no ratio to take"}
    told = f"Crime (Residents First): none of {joint['n_missing']} branches could be computed."
    assert as_text(result) == told
    assert told in faces.render(result)


def test_an_outcome_that_the_study_cannot_estimate_is_named(done: tuple[Path, Result]) -> None:
    annex = done[1].annex("multiverse")
    assert annex is not None
    found = replace(annex.found, without_branches=("crime (G)",))
    bare = replace(annex, found=found, tables=tuple(replace(t, rows=()) for t in annex.tables))
    result = replace(done[1], annexes=(bare,))
    told = "Crime (G): the study itself cannot estimate it, so it has no branches."
    assert as_text(result) == told
    assert told in faces.render(result)


def test_branches_without_a_pool_are_kept_with_their_reason(tmp_path: Path) -> None:
    """A buffer of one kilometre leaves nothing of a county of four."""
    path = write_small_study(tmp_path)
    file = read_study(path)
    data = assemble(file)
    universe, choices = make_universe(file.study, data, make_plan(file, data, "test"), 3)
    wide = next(c for c in choices if c.buffer_km == 1.0 and c.calibration == "chi-square")
    matched = next(c for c in choices if c.buffer_km == 1.0 and c.calibration == "none")
    for choice, reason in ((wide, "no area left in the pool"), (matched, "without a match")):
        curves = json.loads(run_branch(universe, choice))["curves"]
        assert all(c["effect"] is None and c["reason"].endswith(reason) for c in curves)


# ---------------------------------------------------------------- processes, kills, clusters

COMMAND = "from areaeffect.cli import main; main()"
#: Sends itself a signal while it writes its second branch, after the file and before its name.
#: Ctrl-C is heard even where a shell started the tests in the background, with SIGINT ignored.
STOPS_ITSELF = """
import os, signal
from areaeffect.cli import main
from areaeffect.document import folders

signal.signal(signal.SIGINT, signal.default_int_handler)
written, whole = [], folders.write_text

def write(path, text):
    whole(path, text)
    written.extend([path] if path.name == folders._NEW else [])  # lists are written by it too
    if len(written) == 2:
        os.kill(os.getpid(), signal.{signal})

folders.write_text = write
main()
"""


def ran(study: Path, out: Path, *more: str, code: str = COMMAND) -> subprocess.CompletedProcess[bytes]:
    words = ["multiverse", str(study), "--out", str(out), "--draws", str(DRAWS), *more]
    return subprocess.run(
        [sys.executable, "-c", code, *words, "--threads", "1"],
        capture_output=True,
        timeout=300,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def n_branches(out: Path) -> int:
    return len(list((out / "branches").glob("*.json")))


def test_a_killed_and_an_interrupted_run_go_on_where_they_stopped(
    study: Path, done: tuple[Path, Result], tmp_path: Path
) -> None:
    """Killed, interrupted, and finished by two processes: the bytes of one quiet run."""
    finished, out = done[0], tmp_path / "out"
    run = ran(study, out, code=STOPS_ITSELF.format(signal="SIGKILL"))
    assert run.returncode == -signal.SIGKILL
    assert n_branches(out) == 1
    assert list(tmp_path.glob(".out.*/new")), "half a branch of a killed run lies beside"
    assert read_result(out).annex("multiverse") is None  # the evaluation itself is whole
    run = ran(study, out, code=STOPS_ITSELF.format(signal="SIGINT"))
    assert run.returncode == 130
    assert b"Interrupted; finished branches are kept. The same command goes on." in run.stderr
    assert b"Traceback" not in run.stderr
    assert n_branches(out) == 2 < n_branches(finished)
    multiverse(study, out, DRAWS, threads=2)
    assert contents(out) == contents(finished)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_address_without_a_cluster_is_an_error_that_says_so(
    study: Path, done: tuple[Path, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = done[0]
    monkeypatch.setattr("areaeffect.commands.multiverse._CONNECT_SECONDS", 0.2)
    with pytest.raises(DataError, match="no cluster answers there"):
        multiverse(study, out, DRAWS + 1, threads=1, cluster="tcp://127.0.0.1:9")
    monkeypatch.setattr(study_file, "find_spec", lambda _name: None)
    with pytest.raises(StudyError, match="needs the extra 'cluster'"):
        multiverse(study, out, DRAWS + 1, threads=1, cluster="tcp://127.0.0.1:9")


# ---------------------------------------------------------------- the report


def test_the_report_draws_the_curve_and_every_number_of_its_sentence_is_in_the_table(
    done: tuple[Path, Result],
) -> None:
    out, _ = done
    result = read_result(out)
    annex = result.annex("multiverse")
    assert annex is not None
    (joint,) = annex.table("multiverse_joint").records()
    text = faces.render(result)
    assert 'id="multiverse"' in text
    assert 'href="data/multiverse.csv"' in text
    sentence = next(s for s in re.findall(r"<p[^>]*>([^<]*)</p>", text) if "joint p" in s)
    for key in ("median", "lowest", "highest", "median_low", "median_high"):
        assert number(joint[key], "ratio") in sentence
    for key in ("median_p", "share_p"):
        assert f"{joint[key]:.3f}" in sentence
    assert f"{joint['share_below']:.0%} of the branches" in sentence
    assert str(joint["n_branches"]) in sentence


def test_the_chart_says_in_words_what_it_draws(done: tuple[Path, Result]) -> None:
    annex = done[1].annex("multiverse")
    assert annex is not None
    rows = curve_rows(rows_of(annex.table("multiverse"), Branch), "ratio")
    drawn = curve_chart(rows, key="k", title="T", form="ratio", unit="", missing=3)
    assert f"{len(rows)} branches from" in drawn
    assert "3 could not be computed." in drawn
    nothing = Together(group="G", outcome="crime", unit="fraction", n_branches=0, n_missing=48, n_placebos=0)
    assert joint_sentence(nothing, "crime") == "Crime (G): none of 48 branches could be computed."
    empty = curve_chart([], key="k", title="T", form="ratio", unit="")
    assert "No branch could be computed." in empty


def test_the_command_prints_json(study: Path, done: tuple[Path, Result]) -> None:
    run = ran(study, done[0], "--json")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["n_placebos"] == DRAWS
    assert len(found["branches"]) == found["n_branches"]
    assert found["joint"][0]["median_p"] is not None


def test_choices_read_as_words() -> None:
    one = Choice(buffer_km=1.0, common_support=True, calibration="none", nearest=60, ratio=1, window=WHOLE)
    assert one.weighting == "nearest area"
    assert replace(one, window=LATER_HALF, calibration="entropy", nearest=0).weighting == (
        "entropy, whole pool"
    )
    assert asdict(one)["library"] == ""

"""The effect by time since the start, from a study file to files and report."""

from __future__ import annotations

from pathlib import Path

import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.document.blocks import Beside, Folded, Section
from areaeffect.further.event_time_section import event_time_rows, event_time_section, event_time_table
from areaeffect.results import Annex, Finding, Result
from tests.shared.small_study import edit, write_small_study


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return evaluate(write_small_study(tmp_path_factory.mktemp("yearly")), threads=1)


@pytest.fixture(scope="module")
def quarterly(tmp_path_factory: pytest.TempPathFactory) -> Result:
    study = write_small_study(tmp_path_factory.mktemp("quarterly"))
    edit(study, "placebos = 39", "placebos = 39\nevent_time_months = 3")
    return evaluate(study, threads=1)


def annex_of(result: Result) -> Annex:
    annex = result.annex("event_time")
    assert annex is not None
    return annex


def ratio_of(result: Result) -> Finding:
    found = [f for f in result.findings if (f.outcome, f.form) == ("crime", "ratio")]
    return next(f for f in found if f.neighbourhood is None)


def test_where_one_bin_is_the_whole_time_after_it_is_the_finding(result: Result) -> None:
    finding = ratio_of(result)
    last = annex_of(result).table("event_time").records()[-1]
    assert (last["bin"], last["part"], last["share"]) == (1, "after the start", 1.0)
    for name in ("estimate", "low", "high", "p_value", "observed"):
        assert last[name] == pytest.approx(getattr(finding, name)), name
    assert last["expected"] == pytest.approx(finding.counterfactual)
    # one bin alone pays nothing for looking at several
    assert (last["low_together"], last["high_together"]) == pytest.approx((last["low"], last["high"]))


def test_quarters_after_the_start_add_up_to_the_finding(quarterly: Result) -> None:
    finding = ratio_of(quarterly)
    after = [r for r in annex_of(quarterly).table("event_time").records() if r["bin"] > 0]
    assert [r["when"] for r in after][:2] == [
        "months 1 to 3 after the start",
        "months 4 to 6 after the start",
    ]
    assert sum(r["observed"] for r in after) == finding.observed
    assert sum(r["expected"] for r in after) == pytest.approx(finding.counterfactual)


def test_the_band_of_all_bins_is_never_narrower_than_that_of_one(quarterly: Result) -> None:
    rows = [r for r in annex_of(quarterly).table("event_time").records() if r["bin"] > 0]
    assert len(rows) == 4
    for row in rows:
        assert row["low_together"] <= row["low"] + 1e-12
        assert row["high_together"] >= row["high"] - 1e-12


def test_a_history_of_one_year_leaves_nothing_to_hold_out(result: Result) -> None:
    before = [r for r in annex_of(result).table("event_time").records() if r["bin"] < 0]
    assert {r["part"] for r in before} == {"matched on"}
    assert all(r["low"] is None for r in before)


def test_every_number_of_the_table_stands_in_the_file(quarterly: Result) -> None:
    annex = annex_of(quarterly)
    rows = event_time_rows(annex, "Residents First", "crime")
    records = annex.table("event_time").records()
    for line, record in zip(event_time_table(rows).rows, records, strict=True):
        shown = float(line[5].strip("+%").replace("−", "-"))
        assert shown == pytest.approx(100 * record["estimate"], abs=0.0501)


def test_the_section_draws_each_group_and_outcome(quarterly: Result) -> None:
    section = event_time_section(quarterly, annex_of(quarterly))
    assert isinstance(section, Section)
    charts = [f.chart for b in section.blocks if isinstance(b, Beside) for f in b.blocks]
    assert len(charts) == 1
    assert "months 1 to 3 after the start" in charts[0]
    assert not any(isinstance(b, Folded) for b in section.blocks)


def test_too_few_events_are_said_not_drawn(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    table = tmp_path / "crime.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    quiet = [",".join([*line.split(",")[:2], "0"]) for line in lines[1:]]
    quiet[:200] = [line[:-1] + "1" for line in quiet[:200]]
    table.write_text("\n".join([lines[0], *quiet]) + "\n", encoding="utf-8")
    annex = annex_of(evaluate(study, threads=1))
    assert annex.table("event_time").rows == ()
    assert annex.found.not_estimable == (
        "Residents First, crime: only 0 incidents before the start: too few for a percentage.",
    )


def test_a_rest_at_the_beginning_of_the_history_is_no_matched_bin(tmp_path: Path) -> None:
    """Fifteen months before the start: twelve are one block, three are left out of the history."""
    study = write_small_study(tmp_path)
    members = (tmp_path / "members.csv").read_text(encoding="utf-8")
    (tmp_path / "members.csv").write_text(members.replace("2013-01-01", "2013-04-01"))
    rows = annex_of(evaluate(study, threads=1)).table("event_time").records()
    assert [(r["bin"], r["part"], r["share"]) for r in rows] == [
        (-2, "matched on in part", 0.25),
        (-1, "held out", 1.0),
        (1, "after the start", 0.75),
    ]
    assert rows[0]["low"] is None

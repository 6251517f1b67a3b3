"""What evaluate refuses, check and power refuse first, for the same reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.commands.check import check, power
from areaeffect.commands.evaluate import evaluate
from areaeffect.errors import NothingEstimableError
from areaeffect.results import Finding, Verdict
from tests.shared.small_study import edit_table, write_small_study
from tests.unit.register.test_starts import N_AREAS, _codes, _rows, _study

ONE = '[[initiative]]\nname = "Init"\nareas = "one.csv"\n'


def _one(folder: Path, table: pd.DataFrame, **texts: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "one.csv").write_text("area_code,neighbourhood,start_date\nA00,Centre,2006\n")
    return _study(folder, table, who=ONE, **texts)


def _leading(path: Path) -> Finding:
    return evaluate(path, 1).findings[0]


def _quiet(_: str) -> None:
    pass


def test_one_small_area_is_refused_by_all_three_for_one_reason(tmp_path: Path) -> None:
    path = _one(tmp_path, _rows())
    reason = "only one treated area: a single address"
    (finding,) = (f for f in evaluate(path, 1).findings if f.form == "ratio" and f.outcome)
    assert finding.verdict is Verdict.NOT_ESTIMABLE
    assert finding.caveats[0].startswith(reason)
    for ask in (lambda: check(path, None, _quiet), lambda: power(path, 1)):
        with pytest.raises(NothingEstimableError, match=reason):
            ask()


def test_data_that_begin_after_every_start_are_named_with_their_first_period(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    edit_table(tmp_path / "crime.csv", lambda table: table[table["month"] >= "2013-02"])
    with pytest.raises(NothingEstimableError, match="the data begin in 2013-02, after every start"):
        check(study, None, _quiet)


def test_one_large_area_is_a_programme_of_one_place(tmp_path: Path) -> None:
    large = _rows()
    large["y"] *= 1000
    score = 'kind = "score"\nsmallest_effect_of_interest = 5.0'
    for path in (_one(tmp_path / "a", large), _one(tmp_path / "b", _rows(), outcome=score)):
        check(path, None, _quiet)
        finding = _leading(path)
        assert finding.estimate is not None
        assert finding.is_one_place
        assert finding.interval is not None
        assert finding.interval.p_value >= 2 / N_AREAS
        assert any(c.startswith("One place cannot say why") for c in finding.caveats)
        assert not any("Which areas touch" in c for c in finding.caveats)


def test_too_few_events_before_the_start_are_refused_beforehand(tmp_path: Path) -> None:
    rare = _rows()
    rare["y"] = (rare["y"] > 200).astype(int)
    path = _study(tmp_path, rare)
    with pytest.raises(NothingEstimableError, match="before the start: too few for a percentage"):
        check(path, None, _quiet)
    assert "before the start: too few for a percentage" in _leading(path).caveats[0]


def test_where_one_of_two_outcomes_is_refused_the_other_is_not(tmp_path: Path) -> None:
    table = _rows().assign(z=0)
    more = '[[outcome]]\nname = "z"\nfamily = "other"\nsource = "t"\nvalue = "z"\n'
    path = _study(tmp_path, table, outcome=f"smallest_effect_of_interest = 0.05\n{more}")
    report = check(path, None, _quiet)
    assert report.refused == ("Init, z: only 0 incidents before the start: too few for a percentage.",)
    assert all(", z:" not in line for line in report.smallest_effects)
    assert {row.outcome for row in power(path, 1).rows} == {"y"}


def test_without_placebos_the_number_is_given_and_no_verdict(tmp_path: Path) -> None:
    table = _rows(0.7)
    few = table[table["area"].isin(_codes(8))]
    finding = _leading(_study(tmp_path, few))
    assert finding.estimate == pytest.approx(-0.3, abs=0.07)
    assert (finding.interval, finding.verdict) == (None, Verdict.CANNOT_TELL)
    assert finding.caveats[0].startswith("The number has no interval: too few placebo")


def test_more_people_after_the_start_are_a_caveat_of_the_finding(tmp_path: Path) -> None:
    table = _rows()
    outcome = 'smallest_effect_of_interest = 0.05\nexposure = "t.people"'
    for grown, said in ((1.0, False), (2.0, True)):
        people = np.where(table["area"].isin(_codes(4)) & (table["year"] >= 2006), grown, 1.0)
        steps = 1000 + (table["year"] - 2000)  # a column that changes in every area
        path = _study(tmp_path / str(grown), table.assign(people=steps * people), outcome=outcome)
        caveats = [c for c in _leading(path).caveats if "changed by +102%" in c]
        assert bool(caveats) is said


def test_a_score_that_never_varies_has_no_verdict(tmp_path: Path) -> None:
    table = _rows().assign(y=0.1)
    finding = _leading(_study(tmp_path, table, outcome='kind = "score"'))
    assert finding.verdict in (Verdict.CANNOT_TELL, Verdict.NOT_ESTIMABLE)
    assert "standard deviations" not in " ".join(finding.caveats)

"""Planned looks: the data decide which it is, and it decides the level of interval and verdict."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from areaeffect.commands.check import design_into
from areaeffect.commands.evaluate import evaluate, evaluate_into
from areaeffect.errors import NothingEstimableError, StudyError
from areaeffect.findings.units import spent
from areaeffect.results import Result, Verdict
from tests.shared.small_study import write_small_study

LOOKS = 'looks = ["2013-06", "2013-12"]'
#: A year of follow-up in two halves.
FIRST, LAST = (float(error) for error in spent([6.0, 12.0]))


def _study(folder: Path, *, to: str = "2013-12", keys: str = LOOKS, effect: float = 1.0) -> Path:
    """Write the small study with 99 placebos, data to a month, and an effect in the areas treated."""
    path = write_small_study(folder)
    path.write_text(path.read_text().replace("placebos = 39", f"placebos = 99\n{keys}"))
    crime = pd.read_csv(folder / "crime.csv")
    members = pd.read_csv(folder / "members.csv")["area_code"]
    after = crime["area_code"].isin(members) & (crime["month"] >= "2013-01")
    crime.loc[after, "n"] = (crime.loc[after, "n"] * effect).round().astype(int)
    crime[crime["month"] <= to].to_csv(folder / "crime.csv", index=False)
    return path


def _main(result: Result) -> tuple[float, Verdict, str]:
    f = result.findings[0]
    return f.level, f.verdict, f.held_back


def test_the_last_look_is_judged_at_what_the_first_has_left(tmp_path: Path) -> None:
    result = evaluate(_study(tmp_path), 1)
    level, _, held_back = _main(result)
    assert pytest.approx(0.05) == FIRST + LAST
    assert level == pytest.approx(1 - LAST)
    assert not held_back
    said = "This is look 2 of 2, on data to 2013-12: interval and verdict are at the level of 95.56%, which"
    assert result.notes[0].startswith(said)
    assert result.notes[0].endswith("which spends 4.4% of the error of 5%; with it 5% is spent.")
    assert all(any(c.startswith(said) for c in f.caveats) for f in result.findings if f.estimate is not None)


def test_an_interval_of_a_look_is_wider_than_that_of_one_analysis(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    one = evaluate(_study(tmp_path / "one", keys=""), 1).findings[0]
    two = evaluate(_study(tmp_path), 1).findings[0]
    assert one.level == pytest.approx(0.95)
    assert (one.estimate, one.p_value, one.single) == (two.estimate, two.p_value, two.single)
    assert None not in {one.low, two.low, one.high, two.high}
    assert (two.low or 0) < (one.low or 0)
    assert (two.high or 0) > (one.high or 0)


def test_a_look_that_so_few_placebos_cannot_reach_concludes_nothing(tmp_path: Path) -> None:
    result = evaluate(_study(tmp_path, to="2013-06", effect=0.2), 1)
    level, verdict, held_back = _main(result)
    assert level == pytest.approx(1 - FIRST)
    assert verdict is Verdict.CANNOT_TELL
    assert held_back.endswith("cannot show a p-value under 2%, and this look may spend an error of 0.56%")
    assert result.findings[0].p_value == pytest.approx(0.02)


def test_data_beyond_a_look_wait_for_the_next(tmp_path: Path) -> None:
    found = []
    for to in ("2013-06", "2013-10"):
        (tmp_path / to).mkdir()
        found.append(evaluate(_study(tmp_path / to, to=to), 1).findings)
    assert found[0] == found[1]


def test_before_the_first_look_nothing_is_estimated(tmp_path: Path) -> None:
    with pytest.raises(NothingEstimableError, match="the first planned look is on data to 2013-06"):
        evaluate(_study(tmp_path, to="2013-05"), 1)


def test_looks_may_be_added_to_a_sealed_plan_with_their_date_and_its_seal(tmp_path: Path) -> None:
    sealed = 'seed = 4\nsealed = "plan/design.json"'
    path = _study(tmp_path, keys="")
    path.write_text(path.read_text().replace("seed = 4", sealed))
    seal = design_into(path, tmp_path / "plan", 1, power=False)
    beside = tmp_path / "plan" / "looks.toml"
    beside.write_text(f'dated = "2012-12-20"\nseal = "{seal}"\n{LOOKS}\n')
    (tmp_path / "again").mkdir()
    assert design_into(path, tmp_path / "again" / "plan", 1, power=False) == seal
    result = evaluate_into(path, tmp_path / "out", 1)
    assert _main(result)[0] == pytest.approx(1 - LAST)
    assert any("written beside that plan on 2012-12-20, after its seal" in note for note in result.notes)
    for page in ("report.html", "annex.html"):
        text = (tmp_path / "out" / page).read_text()
        assert "This is look 2 of 2, on data to 2013-12: interval" in text
        assert "95.56% interval" in text
    beside.write_text(beside.read_text().replace(seal, "0" * 64))
    with pytest.raises(StudyError, match=f"looks.toml belongs to the seal {'0' * 64}"):
        evaluate(path, 1)


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ('looks = ["2013-12", "2013-06"]', "last periods written alike, ascending"),
        ('looks = ["2013", "2013-06"]', "last periods written alike, ascending"),
        ('looks = ["2012-12", "2013-06"]', "looks from 2012-12 to 2013-06 do not lie between"),
        ('looks = ["2013-06", "2014-06"]', "Each comes after the first start, and none after 2013-12"),
    ],
)
def test_looks_out_of_order_or_outside_the_study_are_refused(tmp_path: Path, keys: str, what: str) -> None:
    with pytest.raises(StudyError, match=what):
        evaluate(_study(tmp_path, keys=keys), 1)

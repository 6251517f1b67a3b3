"""Power: what a study could see, known before any outcome after a start is read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from areaeffect.cli import app
from areaeffect.errors import StudyError
from areaeffect.findings.plan import make_plan
from areaeffect.panel import Measure, Neighbourhood, Panel
from areaeffect.periods import PeriodKind, Periods
from areaeffect.placebo.workers import single_threaded
from areaeffect.power.backtest import ASSUMED, Horizon, NoiseGrowth, fit_growth, horizon_of
from areaeffect.power.calculation import PowerReport, PowerRow, power_of, sizes_of
from areaeffect.power.page import needed, sentences, warnings, write_power
from areaeffect.register.registered import Registered
from areaeffect.study.initiative import NamedGroup
from areaeffect.wording.numbers import phrase
from benchmarks.worlds.generate import World
from benchmarks.worlds.rig import INITIATIVE, Studied, studied
from tests.shared.small_study import write_small_study

SMALL = World(areas=320, forces=3, starts=(48, 54), places=4, outcomes=1, per_month=5.0)


def known_before(drawn: Studied, placebos: int = 39) -> PowerReport:
    with single_threaded():
        plan = make_plan(drawn.file, drawn.data, "test")
        measures = tuple(drawn.data.panel.measures.values())
        file = drawn.file.study.model_copy(
            update={"analysis": drawn.file.study.analysis.model_copy(update={"placebos": placebos})}
        )
        return power_of(file, measures, plan, 1, lambda *_: None)


def multiplied_each(drawn: Studied, by: float) -> Studied:
    """Multiply each treated area's outcomes from its own start on, and all after the last one."""
    panel = drawn.data.panel
    last = max(u.start for u in drawn.data.neighbourhoods)
    changed = {}
    for name, measure in panel.measures.items():
        values = measure.values.copy()
        _, after_all = measure.periods.split(last, PeriodKind.MONTH)
        values[:, after_all] *= by
        for unit in drawn.data.neighbourhoods:
            _, after = measure.periods.split(unit.start, unit.start_kind)
            values[unit.areas, after.start : after_all.start] *= by
        changed[name] = replace(measure, values=values)
    return replace(drawn, data=replace(drawn.data, panel=replace(panel, measures=changed)))


@pytest.fixture(scope="module")
def drawn() -> Studied:
    return studied(SMALL, 5)


@pytest.fixture(scope="module")
def report(drawn: Studied) -> PowerReport:
    return known_before(drawn)


def test_nothing_at_or_after_a_start_is_read(drawn: Studied, report: PowerReport) -> None:
    assert known_before(multiplied_each(drawn, 1e6)) == report


def test_more_neighbourhoods_see_smaller_effects(report: PowerReport) -> None:
    by_size = {r.n: r.mde for r in report.curve("outcome_0") if r.mde is not None}
    assert all(mde < 0 for mde in by_size.values())  # better is lower
    assert abs(by_size[10]) < abs(by_size[1])


def test_a_curve_that_rises_is_explained(report: PowerReport) -> None:
    rows = report.curve("outcome_0")
    first, second = rows[0], rows[1]

    def said(factor: float) -> list[str]:
        moved = replace(second, mde=factor * (first.mde or 0.0))
        kept = tuple(moved if r is second else r for r in report.rows if r.n <= second.n or r.group)
        return [w for w in warnings(replace(report, rows=kept)) if "grows again" in w]

    assert said(0.9) == []
    assert said(1.5) == [phrase("power.rises", n=first.n)]


def test_the_planned_study_has_its_own_row(report: PowerReport) -> None:
    (row,) = report.real
    assert (row.group, row.n, row.basis) == (INITIATIVE, 4, "measured")
    assert row.years == pytest.approx(1.75)  # two places for 24 months, two for 18


def test_a_row_for_each_year_and_what_does_not_fit_is_extrapolated(drawn: Studied) -> None:
    early = tuple(replace(u, start=u.start - 12) for u in drawn.data.neighbourhoods)
    found = known_before(
        replace(drawn, data=replace(drawn.data, registered=Registered(neighbourhoods=early))), 39
    )
    assert (found.history, found.planned, found.measured) == (3, 3, 1)
    own = {r.years: r for r in found.rows if r.group and not r.as_planned}
    assert [own[k].basis for k in (1.0, 2.0, 3.0)] == ["measured", "extrapolated", "extrapolated"]
    growth = 2.0**ASSUMED  # one length fits, so the growth is the assumed one
    assert own[2.0].deviation == pytest.approx((own[1.0].deviation or 0) * growth)
    assert not own[2.0].growth_is_fitted
    assert any("found on London" in w for w in warnings(found))


def test_a_history_of_one_year_is_too_short_and_says_so(drawn: Studied) -> None:
    early = tuple(replace(u, start=u.start - 36) for u in drawn.data.neighbourhoods)
    found = known_before(
        replace(drawn, data=replace(drawn.data, registered=Registered(neighbourhoods=early))), 39
    )
    assert found.measured == 0
    assert not any(r.mde is not None for r in found.rows)
    assert any("too short" in w for w in warnings(found))


def test_the_horizon_leaves_two_years_of_history_where_it_can() -> None:
    def measure(n: int) -> Measure:
        values = np.zeros((1, n))
        periods = Periods(PeriodKind.MONTH, 0, n)
        return Measure(
            name="x",
            is_count=True,
            periods=periods,
            values=values,
            reasons=values.astype(np.uint8),
            exposure=None,
        )

    def unit(start: int) -> Neighbourhood:
        return Neighbourhood(
            initiative="a",
            name="b",
            areas=np.array([0]),
            start=start,
            start_kind=PeriodKind.MONTH,
            resident_led=None,
        )

    assert horizon_of([measure(96)], [unit(60)]) == Horizon(12, True, 5, 3, 3)
    assert horizon_of([measure(96)], [unit(36)]) == Horizon(12, True, 3, 5, 1)
    assert horizon_of([measure(96)], [unit(24)]) == Horizon(12, True, 2, 6, 1)
    assert horizon_of([measure(96)], [unit(12)]) == Horizon(12, True, 1, 7, 0)
    assert horizon_of([measure(96)], [unit(60), unit(72)]).planned == 3


def test_the_curve_repeats_neighbourhoods_evenly(drawn: Studied) -> None:
    with single_threaded():
        plan = make_plan(drawn.file, drawn.data, "test")
    study = drawn.file.study
    merged = study.model_copy(update={"design": study.design.model_copy(update={"unit": "programme"})})
    assert [size.group for size in sizes_of(plan, merged)] == [INITIATIVE]
    for size in sizes_of(plan, study):
        counts = np.bincount(size.patterns, minlength=4)
        assert counts.max() - counts.min() <= 1


def test_a_named_group_has_a_smallest_effect_of_its_own(drawn: Studied) -> None:
    with single_threaded():
        plan = make_plan(drawn.file, drawn.data, "test")
    first = plan.units[0].resident_led
    said = {True: "yes", False: "no", None: "not given"}[first]
    conditions = ({"resident_led": (said,)},)
    group = NamedGroup(name="As the first", where=conditions)
    asked = drawn.file.study.model_copy(update={"group": (group,)})
    own = next(size for size in sizes_of(plan, asked) if size.group == "As the first")
    expected = tuple(g for g, u in enumerate(plan.units) if u.resident_led is first)
    assert own.patterns == expected


# ---------------------------------------------------------------- growth and need


def test_growth_is_fitted_on_what_was_measured() -> None:
    found = fit_growth([0.03 * k**0.4 for k in (1, 2, 3)])
    assert found.is_fitted
    assert found.factor(2.0) == pytest.approx(2**0.4)


def test_growth_never_promises_that_a_longer_follow_up_sees_more() -> None:
    assert fit_growth([0.05, 0.04, 0.03]).power == 0.0
    assert NoiseGrowth(0.5, is_fitted=True).factor(0.5) == 1.0


@pytest.mark.parametrize("found", [[], [0.03], [np.nan, 0.03], [0.0, 0.03]])
def test_growth_is_assumed_where_one_length_fits(found: list[float]) -> None:
    assert fit_growth(found) == NoiseGrowth(ASSUMED, is_fitted=False)


def point(n: int, mde: float | None, group: str = "") -> PowerRow:
    return PowerRow(
        outcome="crime",
        label="crime",
        family="crime",
        claim="change",
        form="ratio",
        better="lower",
        threshold=0.05,
        group=group,
        n=n,
        years=2.0,
        as_planned=True,
        basis="measured" if mde else "not estimable",
        mde=mde,
        p_little=0.1,
    )


def test_the_number_needed_lies_between_the_points_of_the_curve() -> None:
    curve = [point(1, -0.4), point(4, -0.2), point(16, -0.1)]  # one over the square root
    assert needed(curve, 0.2) == (4, False)
    assert needed(curve, 0.14) == (9, False)
    assert needed(curve, 0.5) == (1, False)
    assert needed(curve, 0.05) == (64, True)
    assert needed([point(1, None)], 0.1) == (None, False)


def test_every_number_of_a_sentence_is_in_the_report() -> None:
    rows = (point(1, -0.38), point(20, -0.1), point(3, -0.22, "Residents First"))
    (text,) = sentences(
        PowerReport(title="t", step="year", history=4, planned=2, measured=2, left_out=(), rows=rows)
    )
    assert text == (
        "Residents First, crime: with these 3 neighbourhoods, followed for 2 years on average, "
        "you would see a fall of 22% or more; about 5 are needed to see 20%, about 20 to see 10%; "
        "if nothing had changed, the verdict would be 'little difference' (within 5.0%) with "
        "probability 0.10."
    )


# ---------------------------------------------------------------- files and command


def test_the_folder_holds_the_numbers_of_the_page(tmp_path: Path, report: PowerReport) -> None:
    write_power(report, tmp_path / "out")
    content = json.loads((tmp_path / "out" / "power.json").read_text())
    page = (tmp_path / "out" / "power.html").read_text()
    assert content["measured"] == report.measured
    assert len(content["rows"]) == len(report.rows)
    for text in content["warnings"]:
        assert text.replace("'", "&#39;") in page
    assert "<svg" in page
    table = (tmp_path / "out" / "data" / "power.csv").read_text().splitlines()
    assert len(table) == 1 + len(report.rows)
    assert (tmp_path / "out" / "data" / "power.csv-metadata.json").is_file()
    again = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    write_power(report, tmp_path / "out")  # an earlier one is replaced
    assert again == {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path, report: PowerReport) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(StudyError, match="this program did not write"):
        write_power(report, tmp_path)


def test_the_command_prints_sentences_and_json(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    study = write_small_study(tmp_path)
    shown = CliRunner().invoke(app, ["power", str(study), "--threads", "1"])
    assert shown.exit_code == 0, shown.output
    assert re.search(r"not estimable|would see a fall", shown.stdout)
    as_json = CliRunner().invoke(app, ["power", str(study), "--threads", "1", "--json"])
    assert json.loads(as_json.stdout)["step"] == "year"


def test_panels_without_boundaries_draw_areas_one_by_one(drawn: Studied) -> None:
    panel: Panel = replace(drawn.data.panel, contiguity=None, near=None, centres=None)
    found = known_before(replace(drawn, data=replace(drawn.data, panel=panel)), 39)
    assert found.real[0].mde is not None

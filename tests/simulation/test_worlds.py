"""Small versions of `make simulate`: worlds of known truth through `evaluate`'s own path."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from areaeffect.findings.conclude import conclude
from benchmarks.worlds.generate import World, changed, draw
from benchmarks.worlds.rig import evaluated, findings, panel_of, ready, study_of
from benchmarks.worlds.rows import file_of, measure, rows
from benchmarks.worlds.table import contradicts, log_error, of_programme, page, summary

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.simulation

_WORLDS = 16
_SMALL = World(areas=160, places=3, outcomes=2, months=60, starts=(36, 42), gap=(10, 13))


@pytest.fixture(scope="module")
def worlds() -> list[dict[str, Any]]:
    return [measure("one outcome", 900 + seed) for seed in range(_WORLDS)]


def test_an_effect_put_in_afterwards_gives_the_findings_of_a_panel_that_has_it() -> None:
    """Only treated counts after the start depend on it, so one plan serves every effect."""
    made, ratios = ready(_SMALL, 3, 39), np.full((2, 3), 0.8)
    quick = findings(made, ratios, 5)
    rng = np.random.default_rng([5, 1])
    counts = np.stack([changed(made.drawn, o, ratios[o], rng) for o in range(2)])
    drawn = replace(made.drawn, counts=counts)
    whole = conclude(evaluated(study_of(drawn, 3, 39), panel_of(drawn))[1])[0]
    for one, other in zip(quick, whole, strict=True):
        assert one.outcome == other.outcome
        if one.estimate is not None:
            assert one.estimate == pytest.approx(other.estimate)
            assert (one.verdict, one.p_value) == (other.verdict, other.p_value)


def test_a_world_is_the_same_for_the_same_seed_only_and_has_its_gap() -> None:
    one, two, other = draw(_SMALL, 1), draw(_SMALL, 1), draw(_SMALL, 2)
    np.testing.assert_array_equal(one.counts, two.counts)
    assert not np.array_equal(one.counts, other.counts)
    assert np.isnan(one.counts[:, one.force == one.force.max(), 10:13]).all()
    assert np.isnan(one.counts).sum() == 3 * 2 * (one.force == one.force.max()).sum()


@pytest.mark.parametrize("law", ["most deprived", "the most deprived"])
def test_places_of_an_extreme_are_extreme_and_share_no_area(law: str) -> None:
    drawn = draw(replace(_SMALL, law=law), 4)
    areas = np.concatenate(drawn.places)
    assert len(np.unique(areas)) == len(areas)
    assert drawn.covariates[areas, 0].mean() > 0.8


def test_where_nothing_was_done_few_are_called_an_effect(worlds: list[dict[str, Any]]) -> None:
    wrong = [f["p"] <= 0.05 for w in worlds for f in of_programme(w, "nothing")]
    assert np.mean(wrong) <= 0.05 + 4 * (0.05 * 0.95 / _WORLDS) ** 0.5


def test_estimates_of_an_effect_do_not_lean(worlds: list[dict[str, Any]]) -> None:
    errors = [log_error(f) for w in worlds for f in of_programme(w, "mix all")]
    assert abs(np.mean(errors)) < 4 * np.std(errors) / _WORLDS**0.5


def test_no_verdict_contradicts_its_printed_interval() -> None:
    finding = {"verdict": "cannot tell", "threshold": 0.05, "printed": [-0.2, 0.1], "held_back": False}
    assert not contradicts(finding)
    assert contradicts(finding | {"printed": [-0.2, -0.01]})
    assert contradicts(finding | {"verdict": "little difference"})
    assert contradicts(finding | {"verdict": "better"})
    assert not contradicts(finding | {"verdict": "better", "printed": [-0.2, -0.01]})


def test_the_summary_of_the_method_has_the_figures_of_the_page(
    worlds: list[dict[str, Any]], tmp_path: Path
) -> None:
    lines = "".join(json.dumps(world) + "\n" for world in worlds)
    file_of(tmp_path, "one outcome").write_text(lines, encoding="utf-8")
    found = [f["verdict"] == "better" for w in worlds for f in of_programme(w, "printed")]
    (line,) = [text for text in summary(tmp_path).splitlines()[2:] if "one outcome" in text]
    share = f"{np.mean(found):.3f}"
    assert share in line
    assert line.endswith(f", {len(worlds)} |")
    assert share in page(tmp_path)


def test_every_row_of_the_worlds_has_a_file_of_its_own(tmp_path: Path) -> None:
    assert len({file_of(tmp_path, name) for name in rows()}) == len(rows())

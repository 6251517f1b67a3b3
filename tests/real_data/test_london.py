"""Selective licensing in four London boroughs: a real panel, and what four clusters can show."""

from __future__ import annotations

from pathlib import Path

import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.results import Finding, Result, Verdict

pytestmark = pytest.mark.slow

STUDY = Path(__file__).parents[2] / "studies" / "london_licensing" / "study.toml"
BOROUGHS = {
    "Barking and Dagenham": "2014-09",
    "Croydon": "2015-10",
    "Newham": "2013-01",
    "Waltham Forest": "2015-04",
}


@pytest.fixture(scope="session")
def london(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    text = STUDY.read_text(encoding="utf-8")
    assert "placebos = 999" in text
    text = text.replace("placebos = 999", "placebos = 199")
    text = text.replace("${AREAEFFECT_SHARED_DATA}", str(real_data))
    copy = tmp_path_factory.mktemp("london") / "study.toml"
    copy.write_text(text, encoding="utf-8")
    return evaluate(copy, threads=2)


@pytest.fixture
def finding(london: Result) -> Finding:
    return next(f for f in london.findings if f.form == "ratio" and f.neighbourhood is None)


def reasons(result: Result) -> dict[str, int]:
    found: dict[str, int] = {}
    for area in result.areas:
        key = area.reason or area.role
        found[key] = found.get(key, 0) + 1
    return found


def test_every_check_is_there_with_its_status(london: Result) -> None:
    """No outcome that should not move, and no other initiative, is named in this study."""
    annex = london.annex("checks")
    assert annex is not None
    status = {c.name: str(c.status) for c in annex.found.checks}
    silent = {name for name, s in status.items() if s == "not estimable"}
    assert silent == {"unmoved", "contamination"}
    assert len(status) == 11
    rings = annex.table("check_rings").records()
    assert [(r["from_km"], r["to_km"]) for r in rings] == [(0.0, 0.5), (0.5, 1.0), (1.0, 2.0)]
    assert all(r["areas"] > 20 for r in rings)


def test_four_boroughs_are_designed_for_each_from_its_own_start(london: Result) -> None:
    assert {d.neighbourhood: d.start for d in london.designs} == BOROUGHS
    assert all(d.exact for d in london.designs)


def test_placebos_are_pseudo_boroughs_and_few_of_their_programmes_are_disjoint(
    london: Result, finding: Finding
) -> None:
    assert finding.n_disjoint_neighbourhoods == 22  # eligible boroughs
    assert finding.n_disjoint_placebos is not None
    assert finding.n_disjoint_placebos == 22 // 4
    assert finding.placebos == 199
    assert any("22 eligible groups of london.borough" in note for note in london.notes)


def test_four_clusters_cannot_tell_and_the_interval_says_so(finding: Finding) -> None:
    assert finding.verdict is Verdict.CANNOT_TELL
    assert finding.n_neighbourhoods == 4
    assert finding.interval is not None
    assert finding.interval.low is not None
    assert finding.interval.high is not None
    assert finding.interval.low < 0 < finding.interval.high


def test_the_city_is_not_covered(london: Result) -> None:
    gap = next(g for g in london.gaps if g.reason == "not_published")
    assert (gap.n_areas, gap.first, gap.last) == (6, "2008-01", "2016-12")
    city = [a for a in london.areas if a.name.startswith("City of London")]
    assert len(city) == 6
    assert {a.reason for a in city} == {"not covered in the window (not_published)"}


def test_codes_that_did_not_exist_yet_are_missing_not_zero(london: Result) -> None:
    gap = next(g for g in london.gaps if g.reason == "boundary_change")
    assert (gap.n_areas, gap.first, gap.last) == (191, "2008-01", "2011-08")


def test_it_is_printed_how_many_areas_are_covered_throughout(london: Result) -> None:
    assert len(london.areas) == 4835
    assert any("4,638 of 4,835 areas have a value in every period" in n for n in london.notes)


def test_what_the_new_codes_do_to_newham_is_printed(london: Result) -> None:
    left_out, raw = [n for n in london.notes if n.startswith("Newham")]
    assert "13 of 164 treated areas are not covered throughout" in left_out
    assert "−2.4% with the areas that are left out" in raw
    assert "−13.1% without" in raw


def test_the_treated_areas_are_those_that_existed_throughout(london: Result, finding: Finding) -> None:
    assert finding.n_areas == 638 - 18
    assert reasons(london)["treated, but not covered"] == 18


def test_boroughs_with_partial_schemes_are_no_benchmark(london: Result) -> None:
    assert reasons(london)["the borough ran a partial licensing scheme"] > 900
    benchmark = {a.name.rsplit(" ", 1)[0] for a in london.areas if a.role == "benchmark"}
    partial = {"Brent", "Hackney", "Harrow", "Redbridge", "Southwark", "Tower Hamlets"}
    assert benchmark
    assert not benchmark & (partial | set(BOROUGHS) | {"City of London"})


def test_the_map_has_an_outline_for_every_area(london: Result) -> None:
    assert len(london.shapes) == 4835
    assert all(shape.rings for shape in london.shapes)

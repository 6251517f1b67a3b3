"""Distances to places: straight lines, in metres, of one date; a level or a covariate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from areaeffect.assembly.assemble import assemble
from areaeffect.commands.evaluate import evaluate
from areaeffect.errors import AreaEffectError, DataError, StudyError
from areaeffect.sources.access import read_access
from areaeffect.sources.base import Wanted
from areaeffect.study.access import AccessSource
from areaeffect.study.file import read_study
from areaeffect.study.model import Window
from tests.shared.small_study import edit, write_small_study

CENTRES = "area_code,easting,northing,residents\nB,1000,2000,1\nA,0,0,30\nA,400,0,10\n"
POINTS = "category,easting,northing\npark,0,300\npark,5000,5000\nlibrary,1000,2500\n"
WINDOW = Window(start="2020-01", end="2023-12")
PARK = Wanted("park", (), is_count=False)


def read(folder: Path, *wanted: Wanted, points: str = POINTS, **said: str | None):
    (folder / "points.csv").write_text(points)
    (folder / "centres.csv").write_text(CENTRES)
    given = {"centres": "centres.csv", "as_of": "2022"} | said
    source = AccessSource(kind="access", path="points.csv", **given)
    return read_access("near", source, folder, WINDOW, wanted, ("park", "library", "any"))


def test_distances_are_straight_lines_to_the_nearest(tmp_path: Path) -> None:
    table = read(tmp_path, PARK)
    assert table.areas.tolist() == ["A", "B"]
    assert np.allclose(table.attributes["park"], [np.hypot(200, 300), np.hypot(1000, 1700)])
    assert np.allclose(table.attributes["library"], [np.hypot(800, 2500), 500])
    assert np.allclose(table.attributes["any"], [np.hypot(200, 300), 500])
    assert table.measures[PARK].shape == (2, 1)
    assert table.periods is not None
    assert table.periods.labels == ("2022-01",)


def test_people_may_weight_the_centre(tmp_path: Path) -> None:
    table = read(tmp_path, residents="residents")
    assert np.allclose(table.attributes["park"][0], np.hypot(100, 300))
    assert "where people live on average" in table.notes[0]


@pytest.mark.parametrize(
    ("points", "wanted", "says"),
    [
        (POINTS.replace("park", "pub"), (), "no point is a 'park'"),
        (POINTS.replace("5000,5000", "5000,"), (), "1 points have no readable easting, northing."),
        (POINTS.replace("northing", "north"), (), "there is no column 'northing'"),
        (POINTS, (Wanted("park"),), "a distance is not a count."),
    ],
)
def test_what_cannot_be_measured_is_refused(
    tmp_path: Path, points: str, wanted: tuple[Wanted, ...], says: str
) -> None:
    with pytest.raises(AreaEffectError, match=says):
        read(tmp_path, *wanted, points=points)


def test_an_outcome_needs_the_date_of_the_list(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="not said what date the points describe"):
        read(tmp_path, PARK, as_of=None)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = write_small_study(tmp_path)
    (tmp_path / "points.csv").write_text("category,longitude,latitude\npark,-1.49,54.51\n")
    source = (
        '[source.near]\nkind = "access"\npath = "points.csv"\nas_of = "2013-06"\n'
        'boundaries = "areas.geojson"\n\n[[initiative]]'
    )
    edit(path, "[[initiative]]", source)
    outcome = (
        '[[outcome]]\nname = "park"\nfamily = "environment"\nsource = "near"\nvalue = "park"\n'
        'kind = "score"\nunit = "metres"\nclaim = "level"\nsmallest_effect_of_interest = 100\n\n'
        "[analysis]"
    )
    edit(path, "[analysis]", outcome)
    return path


def test_a_distance_can_be_a_level(study: Path) -> None:
    result = evaluate(study, threads=1)
    found = next(f for f in result.findings if f.outcome == "park")
    assert found.estimate is not None
    assert (found.claim, found.maryland, found.unit) == ("level", 2, "metres")


def test_a_distance_cannot_be_a_change(study: Path) -> None:
    edit(study, 'claim = "level"', 'claim = "change"')
    with pytest.raises(DataError, match="'park' cannot be a change: the list of places"):
        assemble(read_study(study))

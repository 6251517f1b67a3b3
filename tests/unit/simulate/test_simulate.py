"""The simulated county looks like a real one, and its truth is what was put in."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from areaeffect.errors import StudyError
from areaeffect.results import ALL_INITIATIVES, RESIDENT_LED_CONTRAST
from areaeffect.simulate import (
    COUNCIL_PARTNERSHIP,
    MONTHLY_COUNTS,
    OUTCOMES,
    RESIDENTS_FIRST,
    YEARLY_INDICATORS,
    County,
    CountySpec,
    ProgrammeSpec,
    simulate_county,
    smallest_force,
    write_county,
)
from areaeffect.study.file import read_study

EFFECTS = {
    "crime": -0.12,
    "antisocial_behaviour": -0.2,
    "criminal_damage": -0.18,
    "environment_score": 4.0,
    "empty_homes": -0.25,
}
LED = ProgrammeSpec(
    name="Led",
    resident_led=True,
    n_neighbourhoods=6,
    starts=("2016-01-01", "2018-07-01"),
    effects=EFFECTS,
    sizes=(2, 4),
)
PARTNERED = ProgrammeSpec(
    name="Partnered",
    resident_led=False,
    n_neighbourhoods=3,
    starts=("2017-01-01",),
    effects={"crime": 0.05},
    sizes=(1, 3),
)
SMALL = CountySpec(n_areas=300, seed=7, programmes=(LED, PARTNERED))


@pytest.fixture(scope="module")
def county() -> County:
    return simulate_county(SMALL)


@pytest.fixture(scope="module")
def full_county() -> County:
    return simulate_county(CountySpec())


@pytest.fixture(scope="module")
def pairs(county: County) -> np.ndarray:
    return border_pairs(county.polygons)


def border_pairs(polygons: gpd.GeoDataFrame) -> np.ndarray:
    shapes = polygons.geometry.to_numpy()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    meet = left != right
    left, right = left[meet], right[meet]
    border = shapely.length(shapely.intersection(shapes[left], shapes[right]))
    return np.column_stack([left[border > 0], right[border > 0]])


def count_parts(pairs: np.ndarray, n_areas: int, members: np.ndarray) -> int:
    inside = pairs[np.isin(pairs, members).all(axis=1)]
    graph = coo_array((np.ones(len(inside)), (inside[:, 0], inside[:, 1])), shape=(n_areas, n_areas))
    part = connected_components(graph)[1]
    return len(set(part[members]))


def positions(county: County, members: pd.DataFrame) -> np.ndarray:
    return np.flatnonzero(county.areas["area_code"].isin(members["area_code"]))


# ---------------------------------------------------------------- the map


def test_areas_fill_one_connected_outline_without_gap_or_overlap(county, pairs):
    shapes = county.polygons.geometry.to_numpy()
    whole = shapely.union_all(shapes)
    assert shapely.is_valid(shapes).all()
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert whole.area == pytest.approx(shapely.area(shapes).sum(), rel=1e-9)
    assert count_parts(pairs, 300, np.arange(300)) == 1


def test_full_county_is_one_connected_coverage_too(full_county):
    shapes = full_county.polygons.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert shapely.union_all(shapes).area == pytest.approx(shapely.area(shapes).sum(), rel=1e-9)
    assert count_parts(border_pairs(full_county.polygons), 1200, np.arange(1200)) == 1


def test_county_lies_in_the_north_sea(full_county):
    west, south, east, north = full_county.polygons.total_bounds
    assert full_county.polygons.crs == "EPSG:4326"
    assert west > 1.5
    assert east < 2.7
    assert south > 54.2
    assert north < 54.9


def test_areas_are_squares_of_one_size(full_county):
    km2 = full_county.polygons.to_crs("EPSG:32631").area.to_numpy() / 1e6
    assert km2 == pytest.approx(0.65**2, rel=0.02)
    corners = shapely.get_coordinates(full_county.polygons.geometry.to_numpy())
    assert len(np.unique(corners, axis=0)) < 1.1 * len(full_county.polygons)


def test_districts_and_forces_are_connected_and_the_smallest_force_is_small(full_county):
    pairs = border_pairs(full_county.polygons)
    for column, number in (("district", 4), ("police_force", 3)):
        values = full_county.areas[column]
        assert values.nunique() == number
        for name in values.unique():
            assert count_parts(pairs, 1200, np.flatnonzero(values == name)) == 1
    share = full_county.areas["police_force"].value_counts(normalize=True)
    assert 0.12 < share.min() < 0.18
    assert smallest_force(full_county.areas["police_force"]) == share.index[-1]


# ---------------------------------------------------------------- the people


def test_areas_are_coded_named_and_populated_like_small_areas(full_county):
    areas = full_county.areas
    assert areas["area_code"].tolist() == [f"S01{i:06d}" for i in range(1, 1201)]
    assert areas["area_name"].is_unique
    assert areas["area_name"].str.fullmatch(r"[A-Z][A-Za-z ]+ \d{3}[A-Z]").all()
    assert areas["population"].between(1000, 3000).all()
    assert areas["population"].mean() == pytest.approx(1550, rel=0.03)
    assert (areas["population"] / areas["dwellings"]).between(1.5, 3.3).all()
    assert areas["deprivation"].between(0, 80).all()
    assert areas["deprivation"].std() == pytest.approx(15, abs=2)
    assert areas["share_renting"].between(0, 100).all()
    assert areas["deprivation"].corr(areas["share_renting"]) > 0.5


def test_neighbours_are_alike(full_county):
    pairs = border_pairs(full_county.polygons)
    columns = {
        "deprivation": full_county.areas["deprivation"].to_numpy(),
        "crime": np.log1p(full_county.counts["crime"].mean(axis=1)),
        "environment_score": full_county.indicators["environment_score"].mean(axis=1),
    }
    for values in columns.values():
        assert np.corrcoef(values[pairs[:, 0]], values[pairs[:, 1]])[0, 1] > 0.2


# ---------------------------------------------------------------- the outcomes


def test_counts_and_indicators_have_plausible_size(full_county):
    mean = {name: full_county.counts[name].mean() for name in MONTHLY_COUNTS}
    assert mean["crime"] == pytest.approx(10, rel=0.2)
    assert mean["antisocial_behaviour"] == pytest.approx(4, rel=0.25)
    assert mean["criminal_damage"] == pytest.approx(1.3, rel=0.2)
    by_area = full_county.counts["crime"].mean(axis=1)
    assert by_area.max() > 5 * np.median(by_area)  # town centres
    environment = full_county.indicators["environment_score"]
    assert environment.mean() == pytest.approx(50, abs=2)
    assert environment.std() == pytest.approx(10, abs=1.5)
    assert full_county.indicators["empty_homes"].mean() == pytest.approx(13, abs=3)
    social = full_county.indicators["social_relationships"]
    assert social.mean() == pytest.approx(60, abs=2)
    assert social.std() == pytest.approx(8, abs=1.5)
    assert ((social >= 0) & (social <= 100)).all()


def test_counts_vary_more_than_poisson(full_county):
    years = slice(12, 48)  # before any start, gap or lockdown
    for name in ("crime", "antisocial_behaviour"):
        counts = full_county.counts[name][:, years].astype(float)
        expected = np.outer(counts.mean(axis=1), counts.mean(axis=0)) / counts.mean()
        assert ((counts - expected) ** 2).sum() / expected.sum() > 1.2


def test_deprived_areas_fare_worse_and_change_differently(full_county):
    deprivation = full_county.areas["deprivation"].to_numpy()
    values = {**full_county.counts, **full_county.indicators}
    for name, sign in zip(OUTCOMES, (1, 1, 1, -1, 1, -1), strict=True):
        assert sign * np.corrcoef(deprivation, values[name].mean(axis=1))[0, 1] > 0.2
    untreated = ~full_county.areas["area_code"].isin(full_county.membership["area_code"])
    untreated &= full_county.areas["police_force"] != smallest_force(full_county.areas["police_force"])
    deprived = deprivation > np.median(deprivation)
    crime = full_county.counts["crime"]
    change = [
        crime[group & untreated, 96:].sum() / crime[group & untreated, :48].sum()
        for group in (deprived, ~deprived)
    ]
    assert change[0] < change[1] - 0.05


def test_criminal_damage_never_exceeds_crime(county, full_county):
    for each in (county, full_county):
        assert (each.counts["criminal_damage"] <= each.counts["crime"]).all()


def test_gap_leaves_a_residue_in_one_force_for_six_months(full_county):
    gap = [full_county.months.index(f"2017-{month:02d}") for month in range(7, 13)]
    before = [full_county.months.index(f"2016-{month:02d}") for month in range(7, 13)]
    force = full_county.areas["police_force"]
    lost = (force == smallest_force(force)).to_numpy()
    for counts in full_county.counts.values():
        assert 0 < counts[np.ix_(lost, gap)].sum() < 0.02 * counts[np.ix_(lost, before)].sum()
        assert counts[np.ix_(~lost, gap)].sum() > 0.7 * counts[np.ix_(~lost, before)].sum()
    assert (full_county.counts["crime"][lost][:, gap[-1] + 1].mean()) > 5


def test_without_a_gap_only_the_gap_cells_differ(county):
    whole = simulate_county(replace(SMALL, gap_months=None))
    lost = county.areas["police_force"] == smallest_force(county.areas["police_force"])
    in_gap = np.array(["2017-07" <= month <= "2017-12" for month in county.months])
    cells = np.outer(lost, in_gap)
    for name in MONTHLY_COUNTS:
        assert (whole.counts[name] == county.counts[name])[~cells].all()
    assert county.truth == whole.truth


# ---------------------------------------------------------------- the initiatives


def test_neighbourhoods_are_connected_disjoint_and_apart(county, pairs):
    of_area: dict[int, str] = {}
    for name, members in county.membership.groupby("neighbourhood"):
        areas = positions(county, members)
        assert count_parts(pairs, 300, areas) == 1
        assert not of_area.keys() & set(areas)
        of_area |= dict.fromkeys(areas.tolist(), str(name))
        assert county.areas["police_force"].iloc[areas].nunique() == 1
    for here, there in pairs.tolist():
        if here in of_area and there in of_area:
            assert of_area[here] == of_area[there]


def test_default_programmes_are_placed_as_told(full_county):
    members = full_county.membership.merge(full_county.areas, on="area_code")
    neighbourhoods = members.drop_duplicates("neighbourhood")
    assert neighbourhoods["initiative"].value_counts().to_dict() == {
        "Residents First": 24,
        "Council Partnership": 12,
    }
    starts = neighbourhoods.groupby("initiative")["start_date"].value_counts()
    assert set(starts["Residents First"]) == {8}
    assert set(starts["Council Partnership"]) == {6}
    sizes = members["neighbourhood"].value_counts()
    assert sizes.min() == 3
    assert sizes.max() == 7
    assert len(members) <= 180
    assert neighbourhoods["police_force"].value_counts().min() >= 2
    assert neighbourhoods["police_force"].nunique() == 3
    assert members["deprivation"].mean() > full_county.areas["deprivation"].mean() + 5
    # not only the most deprived: there must be benchmark areas like them
    top = full_county.areas["deprivation"].quantile(0.8)
    assert (members["deprivation"] < top).any()


def test_truth_equals_what_was_put_in_when_neighbourhoods_do_not_differ():
    alike = simulate_county(replace(SMALL, effect_sd=0.0, effect_sd_points=0.0))
    for programme in SMALL.programmes:
        realised = alike.truth.initiatives[programme.name]
        for name in OUTCOMES:
            assert realised[name] == pytest.approx(programme.effects.get(name, 0.0), abs=1e-10)
    for neighbourhood in alike.membership.query("initiative == 'Led'")["neighbourhood"].unique():
        realised = alike.truth.neighbourhoods[neighbourhood]
        assert realised["crime"] == pytest.approx(-0.12, abs=1e-10)
        assert realised["environment_score"] == pytest.approx(4.0, abs=1e-10)


def test_realised_truth_is_near_what_was_put_in(full_county):
    for programme in (RESIDENTS_FIRST, COUNCIL_PARTNERSHIP):
        realised = full_county.truth.initiatives[programme.name]
        for name in OUTCOMES:
            tolerance = 0.6 if name in ("environment_score", "social_relationships") else 0.03
            assert realised[name] == pytest.approx(programme.effects.get(name, 0.0), abs=tolerance)
    together = full_county.truth.initiatives[ALL_INITIATIVES]
    assert -0.12 < together["crime"] < 0
    assert len(full_county.truth.neighbourhoods) == 36
    spread = [effects["crime"] for effects in full_county.truth.neighbourhoods.values()]
    assert np.std([effect for effect in spread if effect != 0]) == pytest.approx(0.026, abs=0.012)


def test_zero_effects_are_exactly_zero_with_any_number_of_programmes():
    for number in (0, 1, 3):
        programmes = tuple(
            ProgrammeSpec(
                name=f"Programme {k}",
                resident_led=bool(k % 2),
                n_neighbourhoods=2,
                starts=("2016-01-01",),
                effects={},
                sizes=(1, 3),
            )
            for k in range(number)
        )
        null = simulate_county(CountySpec(n_areas=150, seed=3, programmes=programmes))
        # all together, and the contrast where both sides are there
        more = (number > 0) + (number > 1)
        assert len(null.truth.initiatives) == number + more
        for effects in (*null.truth.initiatives.values(), *null.truth.neighbourhoods.values()):
            assert set(effects.values()) == {0.0}


def test_the_contrast_put_in_is_the_ratio_of_the_two_sides(full_county):
    truth = full_county.truth.initiatives
    led, other = truth["Residents First"], truth["Council Partnership"]
    contrast = truth[RESIDENT_LED_CONTRAST]
    assert contrast["crime"] == pytest.approx((1 + led["crime"]) / (1 + other["crime"]) - 1)
    points = led["environment_score"] - other["environment_score"]
    assert contrast["environment_score"] == pytest.approx(points)


def test_specs_that_differ_in_effects_share_map_neighbourhoods_and_untreated_intensities(county):
    null = simulate_county(replace(SMALL, programmes=tuple(replace(p, effects={}) for p in SMALL.programmes)))
    pd.testing.assert_frame_equal(null.areas, county.areas)
    pd.testing.assert_frame_equal(null.membership, county.membership)
    treated = positions(county, county.membership)
    untreated = np.setdiff1d(np.arange(300), treated)
    ratio = [
        county.counts["crime"][rows].sum() / null.counts["crime"][rows].sum() for rows in (treated, untreated)
    ]
    assert ratio[0] < 0.99
    assert ratio[1] == pytest.approx(1.0, abs=0.01)


def test_effects_begin_in_the_month_of_the_start_and_the_first_full_year():
    strong = ProgrammeSpec(
        name="Strong",
        resident_led=True,
        n_neighbourhoods=8,
        starts=("2018-07-01",),
        effects={"antisocial_behaviour": -0.9, "empty_homes": -0.9},
        sizes=(3, 3),
    )
    simulated = simulate_county(replace(SMALL, programmes=(strong,)))
    treated = positions(simulated, simulated.membership)
    gap = simulated.areas["police_force"] == smallest_force(simulated.areas["police_force"])
    treated = np.setdiff1d(treated, np.flatnonzero(gap))
    monthly = simulated.counts["antisocial_behaviour"][treated].sum(axis=0)
    start = simulated.months.index("2018-07")
    assert monthly[start : start + 6].max() < 0.4 * monthly[start - 6 : start].min()
    yearly = dict(zip(simulated.years, simulated.indicators["empty_homes"][treated].sum(axis=0), strict=True))
    assert yearly["2018"] > 0.6 * yearly["2017"]
    assert yearly["2019"] < 0.3 * yearly["2018"]


# ---------------------------------------------------------------- the files


@pytest.fixture(scope="module")
def folder(county: County, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_county(county, tmp_path_factory.mktemp("county")).parent


def test_same_spec_gives_the_same_bytes(folder, tmp_path):
    again = write_county(simulate_county(SMALL), tmp_path / "new" / "folder").parent
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert names == [
        "areas.csv",
        "boundaries.geojson",
        "crime_monthly.parquet",
        "events.csv",
        "indicators_yearly.csv",
        "led.csv",
        "partnered.csv",
        "stories/1.md",
        "stories/2.md",
        "stories/3.md",
        "study.toml",
        "survey.csv",
        "truth.json",
        "unit_costs.csv",
    ]
    assert names == sorted(str(p.relative_to(again)) for p in again.rglob("*") if p.is_file())
    for name in names:
        assert (folder / name).read_bytes() == (again / name).read_bytes()


def test_another_seed_gives_another_county(county):
    other = simulate_county(replace(SMALL, seed=8))
    assert not other.areas.equals(county.areas)


def test_monthly_file_holds_every_area_and_month(county, folder):
    table = pq.read_table(folder / "crime_monthly.parquet")
    assert table.column_names == ["area_code", "police_force", "month", *MONTHLY_COUNTS]
    assert b"pandas" not in (table.schema.metadata or {})
    frame = table.to_pandas()
    assert len(frame) == 300 * 144
    assert frame[["area_code", "month"]].equals(
        frame[["area_code", "month"]].sort_values(["area_code", "month"], ignore_index=True)
    )
    for name in MONTHLY_COUNTS:
        assert (frame[name].to_numpy().reshape(300, 144) == county.counts[name]).all()


def test_yearly_file_holds_every_area_and_year(county, folder):
    frame = pd.read_csv(folder / "indicators_yearly.csv")
    assert frame.columns.tolist() == ["area_code", "year", *YEARLY_INDICATORS]
    for name in YEARLY_INDICATORS:
        assert (frame[name].to_numpy().reshape(300, 12) == county.indicators[name]).all()


def test_boundaries_hold_the_polygons_at_five_decimals(county, folder):
    read = gpd.read_file(folder / "boundaries.geojson")
    assert read["area_code"].tolist() == county.areas["area_code"].tolist()
    assert read["area_name"].tolist() == county.areas["area_name"].tolist()
    assert shapely.equals_exact(read.geometry.to_numpy(), county.polygons.geometry.to_numpy()).all()
    coordinates = shapely.get_coordinates(read.geometry.to_numpy())
    assert (coordinates == coordinates.round(5)).all()


def test_initiative_files_and_truth_say_who_is_treated_and_by_how_much(county, folder):
    led = pd.read_csv(folder / "led.csv", dtype=str)
    assert led.columns.tolist() == county.membership.columns.tolist()
    assert set(led["resident_led"]) == {"true"}
    assert set(pd.read_csv(folder / "partnered.csv", dtype=str)["resident_led"]) == {"false"}
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert list(truth) == ["Led", "Partnered", ALL_INITIATIVES, RESIDENT_LED_CONTRAST, "neighbourhoods"]
    assert truth["Led"]["crime"] == pytest.approx(county.truth.initiatives["Led"]["crime"], rel=1e-11)
    assert set(truth["neighbourhoods"]) == set(county.membership["neighbourhood"])


def test_study_file_is_a_valid_study_of_every_outcome(folder):
    text = (folder / "study.toml").read_text(encoding="utf-8")
    assert "made up" in text.splitlines()[0]
    study = read_study(folder / "study.toml").study
    assert [outcome.name for outcome in study.outcome] == [
        "crime",
        "antisocial_behaviour",
        "criminal_damage",
        "environment_score",
        "empty_homes",
        "social_relationships",
    ]
    assert {outcome.claim for outcome in study.outcome} == {"change"}
    assert [initiative.name for initiative in study.initiative] == ["Led", "Partnered"]
    assert tomllib.loads(text)["study"]["window"] == {"start": "2012-01", "end": "2023-12"}
    for source in study.source.values():
        assert (folder / source.path).exists()


def test_a_shorter_window_gives_whole_years_only():
    spec = CountySpec(n_areas=150, first_month="2013-04", last_month="2019-09", programmes=())
    short = simulate_county(spec)
    assert (short.months[0], short.months[-1], len(short.months)) == ("2013-04", "2019-09", 78)
    assert short.years == ("2014", "2015", "2016", "2017", "2018")


# ---------------------------------------------------------------- refusals


def test_a_county_without_initiatives_is_not_a_study(tmp_path):
    bare = simulate_county(CountySpec(n_areas=150, programmes=()))
    with pytest.raises(StudyError, match=r"a study needs an initiative.*Add a ProgrammeSpec"):
        write_county(bare, tmp_path)
    assert not list(tmp_path.iterdir())


def test_too_many_neighbourhoods_are_refused_with_the_way_out():
    crowd = ProgrammeSpec(name="Crowd", resident_led=True, n_neighbourhoods=60, starts=("2016-01-01",))
    with pytest.raises(StudyError) as caught:
        simulate_county(CountySpec(n_areas=150, programmes=(crowd,)))
    assert str(caught.value) == (
        "county of 150 areas: no room for 60 separate neighbourhoods of 300 areas in all. "
        "Ask for more areas, or for fewer or smaller neighbourhoods."
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_areas": 50}, "n_areas is 50; allowed are 120 to 5000"),
        ({"first_month": "2012"}, "['2012'] are not months; write them like '2012-01'"),
        ({"last_month": "May 2019"}, "['May 2019'] are not months; write them like '2012-01'"),
        ({"last_month": "2010-12"}, "the window holds no whole calendar year"),
        ({"last_month": "2012-06"}, "the window holds no whole calendar year"),
        ({"programmes": (LED, LED)}, "programme names ['Led', 'Led'] are not unique"),
        ({"last_month": "2017-12"}, "programmes start on ['2018-07-01']; allowed is any month"),
    ],
)
def test_impossible_counties_are_refused(changes, message):
    with pytest.raises(StudyError) as caught:
        replace(SMALL, **changes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"effects": {"crimes": -0.1}}, "unknown outcomes ['crimes'] in effects"),
        ({"effects": {"crime": -0.5}}, "criminal damage is part of crime"),
        ({"n_neighbourhoods": 0}, "n_neighbourhoods must be at least 1"),
        ({"sizes": (5, 3)}, "sizes is (5, 3); give (fewest, most)"),
        ({"starts": ()}, "starts are dates such as '2016-01-01'"),
        ({"starts": ("May 2016",)}, "['May 2016'] are not"),
        ({"starts": ("2016-W01-1",)}, "['2016-W01-1'] are not"),
    ],
)
def test_impossible_programmes_are_refused(changes, message):
    with pytest.raises(StudyError) as caught:
        replace(LED, **changes)
    assert message in str(caught.value)

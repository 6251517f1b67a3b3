"""Published releases on their real files: figures that the publishers and the catalogue state."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from areaeffect.errors import DataError, StudyError
from areaeffect.panel import REASONS
from areaeffect.sources.coverage import MeasureRequest
from areaeffect.sources.publishers import panel as published_panel
from areaeffect.sources.publishers.panel import bring_to, described_at, printed_name, read_published
from areaeffect.sources.publishers.releases import catalogue, find_release
from areaeffect.sources.publishers.tables import read
from areaeffect.study.parts import Window

WINDOW = Window(start="2011", end="2021")


def read_source(name, release, root, wanted=(), attributes=(), vintage=None, window=WINDOW):
    """Read a release as a study names it."""
    source = SimpleNamespace(release=release, path=root and str(root), vintage=vintage)
    return read_published(name, source, Path(), window, wanted, attributes)


def count_of(table, column, reason):
    return int((table.reasons[column] == REASONS.index(reason)).sum())


def test_suppressed_vacant_homes_are_missing_not_zero(real_data):
    table = read("census_2021_vacant_homes", real_data)
    assert count_of(table, "vacant_dwellings", "suppressed") == 1566
    assert count_of(table, "second_homes", "suppressed") == 33_009
    assert np.nansum(table.values["vacant_dwellings"]) == 1_443_680
    known = table.values["vacant_dwellings"][~np.isnan(table.values["vacant_dwellings"])]
    assert (known % 5 == 0).all()
    assert known.min() >= 10


def test_the_workbook_agrees_with_its_copy_as_a_table(real_data):
    table = read("census_2021_vacant_homes", real_data)
    path = real_data / "empty_homes" / "census_2021_vacant_dwellings_second_homes_lsoa21.parquet"
    copy = pd.read_parquet(path).set_index("lsoa21_code").loc[list(table.areas)]
    np.testing.assert_array_equal(
        table.values["vacant_dwellings"][:, 0], copy["vacant_dwellings"].to_numpy(float)
    )
    np.testing.assert_array_equal(
        table.values["second_homes"][:, 0], copy["second_homes_no_usual_residents"].to_numpy(float)
    )


def test_districts_of_table_615_add_up_to_its_own_england(real_data):
    table = read("vacant_dwellings_615", real_data)
    assert table.periods.labels == tuple(str(y) for y in range(2004, 2016))
    england = [719_352, 635_127, 610_123, 600_179]  # 2011 and 2013 to 2015, row 'ENGLAND'
    total = np.nansum(table.values["vacant_dwellings"], axis=0)[[7, 9, 10, 11]]
    np.testing.assert_allclose(total, england, rtol=0, atol=1)


def test_fly_tipping_of_london_boroughs_adds_up_to_london(real_data):
    table = read("fly_tipping", real_data)
    assert table.periods.labels == tuple(str(y) for y in range(2012, 2023))
    boroughs = np.char.startswith(table.areas, "E09")
    assert table.values["total_incidents"][boroughs, 0].sum() == 231_894  # row '*Total', London
    assert count_of(table, "total_incidents", "not_published") == 20


def test_tenure_shares_add_up(real_data):
    table = read("census_2021_tenure", real_data)
    # published for England and Wales: 24,783,199; each LSOA's counts are adjusted on their own
    assert table.values["households"].sum() == pytest.approx(24_783_199, rel=1e-4)
    shares = ("owner_occupied_share", "social_rented_share", "private_rented_share")
    total = sum(table.values[s] for s in shares)
    rest = table.values["shared_ownership"] + table.values["rent_free"]
    np.testing.assert_allclose(total, 1 - rest / table.values["households"], atol=1e-12)


def test_the_year_between_two_estimates_is_missing_not_interpolated(real_data):
    table = read("population_mid_year", real_data)
    assert table.periods.labels == ("2017", "2018", "2019", "2020")
    missing = table.reasons["residents"] == REASONS.index("not_published")
    assert missing.all(axis=0).tolist() == [False, True, False, False]


def test_sexual_offences_that_were_never_supplied_are_missing(real_data):
    table = read("met_police_major", real_data)
    assert np.isnan(table.values["sexual"]).all()
    assert table.notes == ("'sexual' is zero everywhere: it was not supplied, and is missing here.",)
    assert np.nansum(table.values["burglary"]) == 852_215


def test_domains_repeated_in_two_files_agree(real_data):
    folder = real_data / "deprivation"
    domains = pd.read_parquet(folder / "imd2019_england_lsoa11_domains.parquet")
    sub = pd.read_parquet(folder / "imd2019_england_lsoa11_subdomains.parquet")
    both = [c for c in domains.columns if c in sub.columns]
    assert len(both) == 7
    pd.testing.assert_frame_equal(domains[both], sub[both])


def test_a_study_adds_categories_up(real_data):
    both = MeasureRequest("value", ("burglary", "robbery"))
    table = read_source("met", "met_police_major", real_data, (both,), ("drugs",))
    assert table.measures[both].sum() == 852_215 + 320_274
    assert table.varying["drugs"].shape == (4829, 11)
    assert table.release.source == "met"
    assert table.release.rows_read == 584_309
    assert not table.reasons[both].any()


def test_a_census_of_one_date_is_one_period_of_the_window(real_data):
    wanted = MeasureRequest("vacant_dwellings")
    table = read_source("homes", "census_2021_vacant_homes", real_data, (wanted,), ())
    assert table.periods.labels == ("2021",)
    assert set(np.unique(table.reasons[wanted])) == {0}  # small counts that are hidden have bounds
    assert table.hidden[wanted].cells.any()


def test_measures_are_cut_to_the_window(real_data):
    wanted = (MeasureRequest("drugs"),)
    window = Window(start="2012-04", end="2016-03")
    table = read_source("met", "met_police_major", real_data, wanted, window=window)
    assert table.periods.labels == ("2013", "2014", "2015")
    assert table.measures[wanted[0]].shape == table.reasons[wanted[0]].shape == (4829, 3)
    window = Window(start="2022-01", end="2024-12")
    with pytest.raises(DataError) as caught:
        read_source("met", "met_police_major", real_data, wanted, window=window)
    assert str(caught.value) == (
        "met_police_major: no year of this release lies in the window 2022-01 to 2024-12; it runs "
        "from 2011 to 2021. Change `study.window`."
    )


def test_editions_in_several_files_record_each(real_data):
    table = read_source("imd", "imd_2019", real_data, (), ("imd_rank",))
    assert table.periods is None
    assert len(table.more_releases) == 2
    assert {r.source for r in (table.release, *table.more_releases)} == {"imd"}


def test_residents_of_2011_come_to_2021_without_losing_one(real_data):
    table = read("population_census_2011", real_data, ["residents", "hectares"])
    moved = bring_to(table, "lsoa21", real_data)
    irregular = moved.reasons["residents"][:, 0] == REASONS.index("boundary_change")
    assert len(moved.areas) == 35_672
    assert irregular.sum() == 6
    lookup = pd.read_parquet(real_data / "geography" / "lookup_lsoa11_lsoa21_ltla22.parquet")
    left_out = set(lookup.loc[lookup["change_code"] == "X", "lsoa11_code"])
    held = table.values["residents"][np.isin(table.areas, list(left_out))].sum()
    assert np.nansum(moved.values["residents"]) + held == 56_075_912
    assert any("divided by residents of Census 2021" in note for note in moved.notes)
    assert sum("Left out, irregular or unknown" in note for note in moved.notes) == 1


def test_deprivation_of_2010_comes_through_two_vintages(real_data):
    table = read("imd_2010", real_data, ["imd_score", "imd_rank"])
    moved = bring_to(table, "lsoa21", real_data)
    assert moved.release.vintage == "lsoa21"
    assert np.nanmax(moved.values["imd_score"]) <= table.values["imd_score"].max()
    same = np.isin(table.areas, moved.areas)
    assert same.sum() > 30_000
    at = np.searchsorted(moved.areas, table.areas[same])
    np.testing.assert_array_equal(moved.values["imd_score"][at], table.values["imd_score"][same])
    with pytest.raises(DataError, match="tables are only brought forward"):
        bring_to(moved, "lsoa11", real_data)
    with pytest.raises(DataError, match="areas of 'local_authority' cannot be brought"):
        bring_to(read("fly_tipping", real_data), "lsoa21", real_data)


def test_shares_are_made_again_from_the_counts_brought_over(real_data):
    table = read("census_2011_household_deprivation", real_data)
    moved = bring_to(table, "lsoa21", real_data)
    known = ~np.isnan(moved.values["deprived_share"])
    again = 1 - moved.values["not_deprived"] / moved.values["households"]
    np.testing.assert_allclose(moved.values["deprived_share"][known], again[known])
    assert np.array_equal(~known, moved.reasons["deprived_share"] > 0)


def test_a_class_is_kept_where_all_parts_agree(real_data):
    moved = bring_to(read("rural_urban_lsoa11", real_data), "lsoa21", real_data)
    assert set(moved.texts["rural_or_urban"]) == {"Urban", "Rural", ""}
    assert (moved.texts["rural_or_urban"] == "").sum() < 20


@pytest.mark.parametrize(
    ("release", "wanted", "sentence"),
    [
        (
            "imd_2019",
            MeasureRequest("crime_rank", is_count=False),
            "imd_2019: 'crime_rank' is a rank: it is relative within its release. Take a count, "
            "rate or score.",
        ),
        (
            "loneliness",
            MeasureRequest("lonely_percent"),
            "loneliness: 'lonely_percent' is a rate, not a count. Write kind = \"score\".",
        ),
        (
            "imd_2019",
            MeasureRequest("crime_score", is_count=False),
            "the file of 'imd_2019' that is here has no column 'crime_score'. Get it with "
            "`areaeffect fetch imd_2019`.",
        ),
    ],
)
def test_what_cannot_be_an_outcome_is_refused(release, wanted, sentence, real_data):
    with pytest.raises(DataError) as caught:
        read_source("x", release, real_data, (wanted,), ())
    assert str(caught.value) == sentence


def test_a_figure_of_the_authority_is_given_to_each_of_its_areas(real_data):
    table = read_source("it", "fly_tipping", real_data, attributes=("total_incidents",), vintage="lsoa21")
    assert len(table.areas) == 35_672
    york = np.char.startswith(table.names, "York 0")
    assert set(table.varying["total_incidents"][york, -1]) == {1837.0}
    wales = np.char.startswith(table.areas, "W")
    assert np.isnan(table.varying["total_incidents"][wales]).all()
    assert "fly_tipping: each area has the figure of its local authority." in table.notes


def test_it_is_refused_as_an_outcome_by_the_study(real_data):
    with pytest.raises(StudyError) as refused:
        read_source("it", "fly_tipping", real_data, (MeasureRequest("total_incidents"),), vintage="lsoa21")
    assert str(refused.value) == (
        "source.it: 'total_incidents' of 'fly_tipping' is one figure a local authority. "
        "It cannot differ between the LSOAs inside a local authority, so it says nothing about a "
        "neighbourhood against its benchmark areas. Use it as a covariate, or take an outcome "
        "that is published by LSOA."
    )


def test_a_covariate_has_its_releases_date_and_says_whose_figure_it_is():
    imd = SimpleNamespace(release="imd_2019", path=None, vintage="lsoa21")
    tipping = SimpleNamespace(release="fly_tipping", path=None, vintage="lsoa21")
    alone = SimpleNamespace(release="fly_tipping", path=None, vintage=None)
    assert described_at(imd, Path()) == "2019-09"
    assert described_at(tipping, Path()) is None
    assert printed_name(imd, "imd_rank") == "imd_rank"
    assert printed_name(tipping, "green") == "green (of the local authority)"
    assert printed_name(alone, "green") == "green"


def test_it_is_an_outcome_for_a_study_of_authorities(real_data):
    table = read_source("it", "fly_tipping", real_data, (MeasureRequest("total_incidents"),))
    assert table.measures[MeasureRequest("total_incidents")].shape == (334, 10)  # 2012-13 to 2021-22


def test_a_study_of_2021_areas_can_use_the_index_of_2019(real_data):
    table = read_source("it", "imd_2019", real_data, attributes=("imd_decile",), vintage="lsoa21")
    assert len(table.areas) == 33_755
    assert np.isnan(table.attributes["imd_decile"]).sum() == 6


def test_fetched_files_stand_before_the_shared_ones(tmp_path, real_data, monkeypatch):
    monkeypatch.setattr(published_panel, "default_fetched", lambda: tmp_path)
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(real_data))
    assert read_source("it", "loneliness", None, attributes=("lonely_percent",)).release.rows_read == 33_755
    (file,) = find_release("loneliness").copies
    (tmp_path / file.path).parent.mkdir()
    frame = pd.read_parquet(real_data / file.path).head(100)
    frame.to_parquet(tmp_path / file.path)
    assert read_source("it", "loneliness", None, attributes=("lonely_percent",)).release.rows_read == 100


def test_a_release_that_is_not_here_says_how_to_get_it(tmp_path):
    with pytest.raises(DataError, match="Get it with `areaeffect fetch imd_2019`"):
        read("imd_2019", tmp_path)
    with pytest.raises(DataError, match="No command gets it: The publisher has replaced this"):
        read("vacant_dwellings_615", tmp_path)


@pytest.mark.parametrize(
    "release_id",
    [
        r.id
        for r in catalogue().values()
        if r.periods and r.id != "population_mid_year" and any(f.sha256 for f in r.forms[0])
    ],
)
def test_the_periods_that_are_listed_are_those_of_the_file(real_data: Path, release_id: str) -> None:
    table = read(release_id, real_data)
    assert table.periods is not None
    named = re.findall(r"\d{4}(?:-Q\d|-\d{2})?", table.release.periods)
    assert (named[0], named[-1]) == (table.periods.labels[0], table.periods.labels[-1])

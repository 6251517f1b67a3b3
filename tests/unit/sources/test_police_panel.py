"""Counts from the store as a panel: zeros only where the force published the month."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from areaeffect.commands.sources import list_sources
from areaeffect.errors import DataError, StudyError
from areaeffect.geography.codes import lsoa_pairs
from areaeffect.panel import REASONS
from areaeffect.sources.coverage import MeasureRequest, SourceTable
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.panel import read_police
from areaeffect.study.model import PoliceUkSource
from areaeffect.study.parts import Window
from tests.shared.street_files import crime, put, street

ASB = MeasureRequest("value", ("anti-social-behaviour",))
CRIME = MeasureRequest("value", ())
AREAS = [f"E0101198{i}" for i in range(3)]


def months(folder: Path, n: int, per_area: int = 30, force: str = "cleveland") -> Path:
    """Months from 2023-01: each area has burglaries in all, one has anti-social behaviour."""
    for month in range(1, n + 1):
        text = f"2023-{month:02d}"
        rows = [crime(f"{a}{i}", text, area=a) for a in AREAS for i in range(per_area)]
        rows.append(crime("", text, area=AREAS[0], kind="Anti-social behaviour"))
        rows.append(crime("", text, "", "", area="", kind="Anti-social behaviour"))
        put(folder, street(*rows), f"{text}-{force}-street.csv")
    return folder


def read(
    store: Path, *wanted: MeasureRequest, start: str = "2023-01", end: str = "2023-06", **keys: Any
) -> SourceTable:
    source = PoliceUkSource(kind="police_uk", store=str(store), **keys)
    window = Window(start=start, end=end)
    return read_police("police", source, store.parent, None, window, wanted, ())


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Six months, of which the third was not published and the fifth is a residue."""
    folder = months(tmp_path / "in", 6)
    (folder / "2023-03-cleveland-street.csv").unlink()
    put(folder, street(crime("a", "2023-05", area=AREAS[0])), "2023-05-cleveland-street.csv")
    ingest_police_uk([folder], tmp_path / "store")
    return tmp_path / "store"


def reasons(table: SourceTable, wanted: MeasureRequest) -> list[list[str]]:
    return [[REASONS[c] for c in row] for row in table.reasons[wanted]]


def test_a_zero_stands_only_where_the_month_was_published(store: Path) -> None:
    table = read(store, ASB)
    gap = np.nan
    np.testing.assert_array_equal(
        table.measures[ASB], [[1, 1, gap, 1, gap, 1], [0, 0, gap, 0, gap, 0], [0, 0, gap, 0, gap, 0]]
    )
    row = ["", "", "not_published", "", "partial_month", ""]
    assert reasons(table, ASB) == [row, row, row]


def test_months_outside_the_files_are_missing(store: Path) -> None:
    table = read(store, CRIME, start="2022-12", end="2023-07")
    assert reasons(table, CRIME)[0][0] == reasons(table, CRIME)[0][-1] == "not_published"


def test_all_crime_leaves_antisocial_behaviour_out(store: Path) -> None:
    assert read(store, CRIME).measures[CRIME][0, 0] == 30


def test_rows_without_an_area_are_counted_by_force_and_month(store: Path) -> None:
    notes = read(store, ASB).notes
    assert "Without an area, cleveland: 2023-01 1, 2023-02 1, 2023-04 1, 2023-06 1." in notes
    total = 4 * (3 * 30 + 2) + 1
    assert notes[0].startswith(f"{total} incidents from 2023-01 to 2023-06: {total - 4} on areas")
    assert notes[0].endswith("4 without an area.")


def test_the_release_says_what_was_read(store: Path) -> None:
    table = read(store, ASB)
    releases = (table.release, *table.more_releases)
    assert len(releases) == 5
    assert sum(r.rows_read for r in releases) == 4 * (3 * 30 + 2) + 1


def test_an_area_at_the_border_is_left_out_and_said(tmp_path: Path) -> None:
    folder = months(tmp_path / "in", 6)
    path = folder / "2023-02-cleveland-street.csv"
    path.write_bytes(path.read_bytes() + crime("z", "2023-02", area="E01027626").encode() + b"\n")
    ingest_police_uk([folder], tmp_path / "store")
    table = read(tmp_path / "store", ASB)
    assert table.areas.tolist() == AREAS
    assert "1 on 1 areas at the border" in table.notes[0]


def test_forces_add_up_in_an_area(tmp_path: Path) -> None:
    folder = months(tmp_path / "in", 6)
    months(folder, 6, per_area=1, force="btp")
    ingest_police_uk([folder], tmp_path / "store")
    table = read(tmp_path / "store", CRIME)
    assert table.measures[CRIME].tolist() == [[31] * 6] * 3
    assert table.attributes["force"].tolist() == ["cleveland"] * 3
    for keys in ({"forces": ("cleveland",)}, {"without_forces": ("btp",)}):
        only = read(tmp_path / "store", CRIME, **keys)
        assert only.measures[CRIME].tolist() == [[30] * 6] * 3


def test_a_force_without_territory_that_stops_is_left_out_and_said(tmp_path: Path) -> None:
    folder = months(tmp_path / "in", 6)
    months(folder, 2, per_area=1, force="btp")
    ingest_police_uk([folder], tmp_path / "store")
    table = read(tmp_path / "store", CRIME)
    assert table.measures[CRIME].tolist() == [[30] * 6] * 3
    assert any(n.startswith("btp published 2 of 6 months in full. Its 10 inc") for n in table.notes)


def test_months_that_another_force_lacks_are_missing_where_it_has_a_part(tmp_path: Path) -> None:
    folder = months(tmp_path / "in", 6)
    for month in ("2023-01", "2023-02"):
        row = crime("b", month, area=AREAS[1])
        put(folder, street(*[row.replace("b,", f"b{i},", 1) for i in range(3)]), f"{month}-btp-street.csv")
    ingest_police_uk([folder], tmp_path / "store")
    table = read(tmp_path / "store", CRIME, forces=("cleveland", "btp"))
    gap = np.nan
    np.testing.assert_array_equal(table.measures[CRIME], [[30] * 6, [33, 33, gap, gap, gap, gap], [30] * 6])
    assert reasons(table, CRIME)[1] == ["", "", *["not_published"] * 4]
    assert any('without_forces = ["btp"]' in note for note in table.notes)


def test_an_area_that_only_the_transport_police_report_is_not_covered(tmp_path: Path) -> None:
    folder = months(tmp_path / "in", 3)
    for month in ("2023-01", "2023-02", "2023-03"):
        row = crime("b", month, area="E01000001")  # the City of London's
        put(folder, street(row), f"{month}-btp-street.csv")
    ingest_police_uk([folder], tmp_path / "store")
    table = read(tmp_path / "store", CRIME, end="2023-03")
    assert table.areas.tolist() == AREAS
    assert "3 on 1 areas at the border" in table.notes[0]
    with pytest.raises(DataError, match="none of them polices an area"):
        read(tmp_path / "store", CRIME, forces=("btp",), end="2023-03")


def test_a_force_that_is_not_known_is_refused(tmp_path: Path) -> None:
    ingest_police_uk([months(tmp_path / "in", 2, force="clevelnd")], tmp_path / "store")
    with pytest.raises(DataError, match=r"polices no known area.*'cleveland'"):
        read(tmp_path / "store", CRIME, end="2023-02")


def test_a_category_that_a_force_lacks_in_a_whole_month_is_a_gap(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for month in range(1, 7):
        text = f"2023-0{month}"
        rows = [crime(f"{a}{i}", text, area=a) for a in AREAS for i in range(20)]
        rows += [
            crime("", text, area=AREAS[i % 3], kind="Anti-social behaviour") for i in range(30) if month != 4
        ]
        put(folder, street(*rows), f"{text}-cleveland-street.csv")
    ingest_police_uk([folder], tmp_path / "store")
    table = read(tmp_path / "store", ASB, CRIME)
    assert reasons(table, ASB)[0] == ["", "", "", "partial_month", "", ""]
    assert table.measures[CRIME].tolist() == [[20] * 6] * 3
    rule = {"values": ["cleveland"], "from_period": "2023-04", "to_period": "2023-04"}
    kept = read(tmp_path / "store", ASB, real_falls=[rule | {"why": "a new rule of recording"}])
    assert kept.measures[ASB].tolist() == [[10, 10, 10, 0, 10, 10]] * 3
    assert "kept as a real fall: a new rule of recording" in str(kept.tables[0].rows)


def test_a_real_fall_of_all_crime_is_kept_where_the_study_says_so(store: Path) -> None:
    rule = {"values": ["cleveland"], "from_period": "2023-05", "to_period": "2023-05"}
    table = read(store, CRIME, real_falls=[rule | {"why": "lockdown"}])
    assert reasons(table, CRIME)[0] == ["", "", "not_published", "", "", ""]
    assert table.measures[CRIME][:, 4].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"values": ["cleveland"], "from_period": "2023-03"}, "nothing there looks like a gap"),
        ({"values": ["durham"], "from_period": "2023-05"}, "What does: cleveland 2023-05"),
        ({"column": "district", "values": ["x"], "from_period": "2023-05"}, "Write 'force'"),
    ],
)
def test_a_real_fall_that_keeps_nothing_is_refused(store: Path, rule: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(store, CRIME, real_falls=[{"to_period": rule["from_period"], "why": "x"} | rule])


def test_codes_of_two_censuses_become_one_without_a_lookup_being_named(tmp_path: Path) -> None:
    """Until March two areas of 2011, which are one of 2021; and one that was split in two."""
    for month in range(1, 7):
        text = f"2023-0{month}"
        old = {"E01011973": 4, "E01011976": 6, "E01012064": 8, AREAS[0]: 5}
        new = {"E01035188": 10, "E01035190": 8, AREAS[0]: 5}
        held = old if month < 4 else new
        rows = [crime(f"{a}{i}", text, area=a) for a, n in held.items() for i in range(n)]
        put(tmp_path / "in", street(*rows), f"{text}-cleveland-street.csv")
    ingest_police_uk([tmp_path / "in"], tmp_path / "store")
    table = read(tmp_path / "store", CRIME)
    found = dict(zip(table.areas.tolist(), table.measures[CRIME].tolist(), strict=True))
    assert found["E01035188"] == [10] * 6
    assert found[AREAS[0]] == [5] * 6
    parts = lsoa_pairs(2021).children("E01012064")
    assert set(table.areas) == {"E01035188", AREAS[0], *parts, "E01035190"}
    assert sum(found[p][0] for p in parts) == 8
    assert any("54 incidents on 3 area codes of another census" in n for n in table.notes)
    back = read(tmp_path / "store", CRIME, vintage="lsoa11")
    found = dict(zip(back.areas.tolist(), back.measures[CRIME].tolist(), strict=True))
    assert [found["E01011973"][m] + found["E01011976"][m] for m in range(6)] == [10] * 6
    assert any("were divided equally" in note for note in back.notes)


def test_a_category_is_missing_before_it_was_published(tmp_path: Path) -> None:
    for text in ("2013-03", "2013-04", "2013-05", "2013-06"):
        kind = "Public order" if text > "2013-04" else "Public disorder and weapons"
        rows = [crime(f"{a}{i}", text, area=a, kind=kind) for a in AREAS for i in range(30)]
        put(tmp_path / "in", street(*rows), f"{text}-cleveland-street.csv")
    ingest_police_uk([tmp_path / "in"], tmp_path / "store")
    order = MeasureRequest("value", ("public-order",))
    table = read(tmp_path / "store", order, CRIME, start="2013-03", end="2013-06")
    assert reasons(table, order)[0] == ["not_published", "not_published", "", ""]
    assert table.measures[CRIME].tolist() == [[30] * 4] * 3


def test_reading_says_what_is_wrong(store: Path) -> None:
    for call, kind, message in [
        (lambda: read(store, forces=("clevland",)), DataError, "Did you mean 'cleveland'"),
        (lambda: read(store, MeasureRequest("value", ("asb",))), DataError, "there is no category 'asb'"),
        (lambda: read(store, start="2023", end="2024"), StudyError, "is by month"),
        (lambda: read(store, start="2011-01", end="2011-05"), DataError, "no located incident"),
        (lambda: read(store.parent / "none"), DataError, "there is no store here"),
    ]:
        with pytest.raises(kind, match=message):
            call()
    source = PoliceUkSource(kind="police_uk", store=str(store))
    window = Window(start="2023-01", end="2023-06")
    with pytest.raises(DataError, match="Did you mean 'district'"):
        read_police("police", source, store.parent, None, window, (), ("distrct",))


def test_a_damaged_store_is_said_without_a_traceback(store: Path) -> None:
    next((store / "police_uk" / "counts").rglob("*.parquet")).write_bytes(b"x" * 100)
    with pytest.raises(DataError, match="the store is damaged"):
        read(store, ASB)


def test_a_study_that_names_files_needs_no_store(tmp_path: Path) -> None:
    folder = months(tmp_path / "in", 3)
    source = PoliceUkSource(kind="police_uk", ingest=(str(folder),))
    window = Window(start="2023-01", end="2023-03")
    table = read_police("police", source, tmp_path, None, window, (CRIME,), ())
    assert table.measures[CRIME].tolist() == [[30] * 3] * 3


def test_the_listing_names_gaps_in_words_and_as_json(store: Path) -> None:
    listing = list_sources(store)
    assert "missing 2023-03; partial 2023-05" in listing.text()
    held = json.loads(json.dumps(listing.to_dict()))
    assert [c["status"] for c in held["coverage"]] == [
        "complete",
        "complete",
        "missing",
        "complete",
        "partial",
        "complete",
    ]
    assert held["files"] == {"current": 5}


def test_a_row_without_a_code_is_placed_by_its_point_and_counted_where_it_has_none(tmp_path: Path) -> None:
    import geopandas
    from shapely.geometry import box

    folder = months(tmp_path / "in", 3)
    lost = [crime("", "2023-02", lon, lat, area="") for lon, lat in [("-1.25", "54.55")] * 4]
    lost += [crime("", "2023-02", "-0.25", "54.55", area=""), crime("", "2023-02", "", "", area="")]
    text = (folder / "2023-02-cleveland-street.csv").read_bytes() + "\n".join(lost).encode() + b"\n"
    put(folder, text, "2023-02-cleveland-street.csv")
    squares = [box(-1.4 + 0.1 * i, 54.5, -1.3 + 0.1 * i, 54.6) for i in range(3)]
    outlines = geopandas.GeoDataFrame({"lsoa21cd": AREAS, "geometry": squares}, crs=4326)
    outlines.to_parquet(tmp_path / "outlines.parquet")
    ingest_police_uk([folder], tmp_path / "store")
    table = read(tmp_path / "store", CRIME, end="2023-03", boundaries="outlines.parquet")
    assert table.measures[CRIME].tolist() == [[30, 30, 30], [30, 34, 30], [30, 30, 30]]
    said = " ".join(table.notes)
    assert "4 incidents without an area code were assigned by their coordinates." in said
    assert "5 without an area" in said  # one far off, one without a point, three of each month

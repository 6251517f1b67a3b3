"""What every published release must keep to, on its real file, whoever adds the next one."""

from __future__ import annotations

import os
import re
import runpy
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from areaeffect.disk import sha256_of
from areaeffect.errors import DataError, StudyError
from areaeffect.panel import REASONS
from areaeffect.sources.publishers.layouts import LAYOUTS
from areaeffect.sources.publishers.releases import (
    ABSENT_IS_ZERO,
    CODE_PATTERNS,
    GEOGRAPHY_NAMES,
    KINDS,
    NO_TABLE,
    By,
    catalogue,
    find_release,
    place_of,
)
from areaeffect.sources.publishers.tables import read
from tests.shared.two_forms import assert_the_same

RELEASES = catalogue()
#: The form of each release that is among the shared real data; the others can only be fetched.
FORMS = {r.id: form for r in RELEASES.values() for form in r.forms if all(f.sha256 for f in form)}
HERE = list(FORMS)
TABLES = [i for i in HERE if RELEASES[i].is_table]
REPOSITORY = Path(__file__).parents[2]
PAGES = runpy.run_path(str(REPOSITORY / "docs" / "make_sources.py"))


@cache
def table_of(release_id, root):
    return read(release_id, root)


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_its_facts_are_complete(release):
    for fact in (release.title, release.publisher, release.licence, release.attribution, release.coverage):
        assert fact.strip()
    assert release.caveats
    assert urlsplit(release.page).scheme == "https"
    assert release.geography in GEOGRAPHY_NAMES
    assert release.vintage in CODE_PATTERNS
    assert re.fullmatch(r"\d{4}-\d{2}", release.as_of) or release.period_kind
    allowed = {*REASONS, ABSENT_IS_ZERO}
    assert {release.blank, release.absent, *release.markers.values()} <= allowed
    assert len(set(release.column_names)) == len(release.column_names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in release.column_names)
    assert all(c.kind in KINDS and c.unit for c in release.columns)
    named = {c.name for c in release.columns if c.kind == "count"}
    for share in release.derived:
        assert {*share.numerator, *share.denominator} <= named
    assert release.forms
    assert release.is_fetched != bool(release.by_hand)
    for file in (*release.files, *release.copies):
        assert file.layout in {*LAYOUTS, *NO_TABLE}
        assert (len(file.sha256) == 64 and file.bytes and file.provenance) or not file.sha256
        assert not Path(file.path).is_absolute()
        assert ".." not in file.path
    assert all(f.origin is None and f.rows and f.sha256 for f in release.copies)
    for file in release.files:
        assert file.rows or release.grows or file.layout == "distinct"
        if file.origin:
            assert_it_can_be_asked_for(file.origin)
        else:
            assert file.sha256


def assert_it_can_be_asked_for(origin):
    """Every way to get a file has what it needs, and only names hosts that it may ask."""
    assert origin.address or origin.by in {By.HUB, By.GOVUK}
    if origin.address:
        parts = urlsplit(origin.address)
        assert parts.scheme == "https"
        assert parts.hostname in origin.every_host
    assert bool(origin.item or origin.service) == (origin.by is By.HUB)
    assert bool(origin.match) == (origin.by in {By.GOVUK, By.ONS})
    assert origin.page.startswith("/government/") or origin.by is not By.GOVUK
    assert not origin.sha256 or (origin.seen and not origin.on_demand)
    re.compile(origin.match)
    assert re.fullmatch(r"(\d{4}-\d{2})?", origin.seen)


def test_the_docs_have_a_page_a_group_that_names_every_release():
    assert set(PAGES["groups"]()) == {r.group for r in RELEASES.values()}
    for group in PAGES["groups"]():
        text = (REPOSITORY / "docs" / "sources" / f"{group}.md").read_text(encoding="utf-8")
        assert text == PAGES["page"](group), "run `python docs/make_sources.py`"
        for release in RELEASES.values():
            if release.group == group:
                assert f"## `{release.id}`" in text
                assert all(caveat in text for caveat in release.caveats)


def test_no_column_is_mapped_for_a_release_that_is_not_there():
    folder = REPOSITORY / "src" / "areaeffect" / "sources" / "releases"
    tables = {p.name.removesuffix(".columns.csv"): p for p in folder.glob("*.columns.csv")}
    assert set(tables) == {p.stem for p in folder.glob("*.toml")}
    for group, path in tables.items():
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        named = {i for cell in frame["releases"] for i in cell.split()}
        assert named <= {r.id for r in RELEASES.values() if r.group == group}


def test_an_unknown_release_is_guessed():
    with pytest.raises(StudyError) as caught:
        find_release("imd_2091", "study.toml, line 7")
    assert str(caught.value) == (
        "study.toml, line 7: there is no release 'imd_2091'. Did you mean 'imd_2019'?"
    )


@pytest.mark.real_data
@pytest.mark.parametrize("release_id", HERE)
def test_the_file_is_the_one_on_record(release_id, real_data):
    for file in FORMS[release_id]:
        path = real_data / file.path
        assert (path.stat().st_size, sha256_of(path)) == (file.bytes, file.sha256)


@pytest.mark.real_data
@pytest.mark.parametrize("release_id", TABLES)
def test_areas_are_unique_and_of_the_stated_vintage(release_id, real_data):
    release, table = RELEASES[release_id], table_of(release_id, real_data)
    assert len(table.areas) == release.areas
    assert (np.sort(table.areas) == table.areas).all()
    assert len(np.unique(table.areas)) == len(table.areas)
    pattern = re.compile(CODE_PATTERNS[release.vintage])
    assert all(pattern.fullmatch(str(a)) for a in table.areas)
    assert table.names.shape == table.areas.shape
    assert all(table.names)


@cache
def codes_of(root):
    """Every code of each census vintage, from the publisher's lookups."""
    folder = root / "geography"
    first = pq.read_table(folder / "lookup_lsoa01_lsoa11.parquet").to_pandas()
    second = pq.read_table(folder / "lookup_lsoa11_lsoa21_ltla22.parquet").to_pandas()
    return {
        "lsoa01": set(first["lsoa01_code"]),
        "lsoa11": set(second["lsoa11_code"]),
        "lsoa21": set(second["lsoa21_code"]),
    }


@pytest.mark.real_data
@pytest.mark.parametrize("release_id", [i for i in TABLES if RELEASES[i].geography == "lsoa"])
def test_every_code_is_one_of_its_vintage(release_id, real_data):
    table = table_of(release_id, real_data)
    assert set(table.areas.tolist()) <= codes_of(real_data)[RELEASES[release_id].vintage]


@pytest.mark.real_data
@pytest.mark.parametrize("release_id", TABLES)
def test_every_missing_cell_has_a_reason_and_no_count_is_negative(release_id, real_data):
    release, table = RELEASES[release_id], table_of(release_id, real_data)
    kinds = {c.name: c.kind for c in release.columns} | {d.name: "share" for d in release.derived}
    assert {*table.values, *table.texts} <= set(release.column_names)
    assert table.values or table.texts
    shape = (len(table.areas), table.periods.n if table.periods else 1)
    for name, values in table.values.items():
        assert values.shape == shape
        np.testing.assert_array_equal(np.isnan(values), table.reasons[name] > 0, err_msg=name)
        assert np.isfinite(values[table.reasons[name] == 0]).all()
        known = values[~np.isnan(values)]
        if kinds[name] in {"count", "rate", "share", "amount"}:
            assert (known >= 0).all(), name
        if kinds[name] == "rank":
            assert known.min() >= 1, name
            assert known.max() <= release.areas, name
        if kinds[name] == "decile":
            assert set(np.unique(known)) == set(range(1, 11)), name
    for share in release.derived:
        if share.denominator:
            assert np.nanmax(table.values[share.name]) <= 1


@pytest.mark.real_data
@pytest.mark.parametrize("release_id", TABLES)
def test_every_row_of_the_catalogue_is_read(release_id, real_data):
    release, table = RELEASES[release_id], table_of(release_id, real_data)
    for file, record in zip(FORMS[release_id], table.records, strict=True):
        assert record.rows_read == file.rows
        assert record.rows_kept + record.rows_rejected == record.rows_read
        assert record.sha256 == file.sha256
        assert (record.licence, record.attribution) == (release.licence, release.attribution)


#: Columns that are read as something else, or say again what the area's own code says.
NOT_MAPPED = {
    "imd_2015": {"lad13_code", "lad13_name", "lsoa11_name"},
    "places_lsoa21": {"LSOA21NMW", "MSOA21NMW"},
    "police_force_lsoa11": {"police_force_as_published"},
    "population_london": {"MSOA11CD", "MSOA11NM", "LAD11CD", "LAD11NM"},
}


@pytest.mark.real_data
@pytest.mark.parametrize("release_id", TABLES)
def test_the_column_map_covers_the_file(release_id, real_data):
    release = RELEASES[release_id]
    copy = FORMS[release_id] == release.copies
    mapped = {c.header(copy=copy) for c in release.columns}
    for file in FORMS[release_id]:
        if file.layout == "rows":
            there = set(pq.read_schema(real_data / file.path).names)
            there -= {file.area, file.period, file.name}
        elif file.layout == "categories":
            frame = pq.read_table(real_data / file.path, columns=[file.category]).to_pandas()
            there = set(frame[file.category].astype(str))
        else:
            continue
        assert there - mapped == NOT_MAPPED.get(release_id, set()) & there


@pytest.mark.real_data
@pytest.mark.parametrize("release_id", [i for i in HERE if not RELEASES[i].is_table])
def test_lookups_and_outlines_hold_the_areas_they_say(release_id, real_data):
    release = RELEASES[release_id]
    (file,) = FORMS[release_id]
    content = pq.ParquetFile(real_data / file.path)
    assert content.metadata.num_rows == file.rows
    codes = content.read([file.area]).column(0).to_pandas()
    assert codes.nunique() == release.areas
    assert codes.str.fullmatch(CODE_PATTERNS[release.vintage]).all()
    with pytest.raises(DataError, match=f"release '{release_id}' is not a table of areas"):
        read(release_id, real_data)


@pytest.mark.real_data
@pytest.mark.parametrize(
    "release_id",
    [r.id for r in RELEASES.values() if r.copies and r.files and r.files[0].layout != "outlines"],
)
def test_a_fetched_file_and_its_copy_are_the_same_table(release_id, real_data):
    """Where `AREAEFFECT_FETCHED` names a folder with the publisher's own file."""
    folder = Path(os.environ.get("AREAEFFECT_FETCHED", "nowhere"))
    if not all(place_of(f, (folder,)) for f in RELEASES[release_id].files):
        pytest.skip("the publisher's file was not fetched here")
    assert_the_same(release_id, folder, real_data)

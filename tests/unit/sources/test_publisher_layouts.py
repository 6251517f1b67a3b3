"""Publishers' own layouts, each on a small file laid out as the publisher's."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from areaeffect.errors import DataError
from areaeffect.panel import REASONS
from areaeffect.sources.publishers.layouts import layout
from areaeffect.sources.publishers.releases import catalogue
from areaeffect.sources.publishers.tables import assemble, read
from tests.shared.spreadsheets import ods


@pytest.fixture
def lay(tmp_path):
    """Put the publisher's file of a release where it belongs, and read the release."""

    def write(release_id, *contents):
        for file, content in zip(catalogue()[release_id].files, contents, strict=True):
            path = tmp_path / file.path
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(release_id, tmp_path)

    return write


def zipped(name, content):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        out.writestr("metadata/about.txt", "about")
        out.writestr(name, content)
    return made.getvalue()


def why(table, column):
    return [[REASONS[i] for i in row] for row in table.reasons[column]]


def test_a_portal_export_has_a_byte_order_mark_an_object_id_and_blank_welsh_names(lay):
    table = lay(
        "rural_urban_lsoa21",
        "\ufeffLSOA21CD,LSOA21NM,LSOA21NMW,RUC21CD,RUC21NM,Urban_rural_flag,ObjectId\n"
        "E01000001,City of London 001A, ,UN1,Urban: Nearer to a major town or city,Urban,1\n",
    )
    assert table.names.tolist() == ["City of London 001A"]
    assert table.texts["rural_or_urban"].tolist() == ["Urban"]


def test_lookups_of_several_files_are_joined_and_smaller_areas_made_distinct(lay):
    table = lay(
        "places_lsoa21",
        "\ufeffLSOA21CD,LSOA21NM,BUA22CD,LAD22CD,LAD22NM,RGN22CD,RGN22NM,ObjectId\n"
        "E01000001,City of London 001A,E63,E09000001,City of London,E12000007,London,1\n"
        "W01000003,Isle of Anglesey 001A,,W06000001,Isle of Anglesey, , ,2\n",
        "\ufeffOA21CD,LSOA21CD,LSOA21NM,MSOA21CD,MSOA21NM,ObjectId\n"
        "E00000001,E01000001,City of London 001A,E02000001,City of London 001,1\n"
        "E00000003,E01000001,City of London 001A,E02000001,City of London 001,2\n"
        "W00000001,W01000003,Isle of Anglesey 001A,W02000001,Isle of Anglesey 001,3\n",
    )
    assert table.texts["msoa21_code"].tolist() == ["E02000001", "W02000001"]
    assert table.texts["region22_name"].tolist() == ["London", ""]
    assert [r.rows_read for r in table.records] == [2, 3]


@pytest.mark.parametrize("end", ["", "; measures: Value"])
def test_census_headers_are_read_with_and_without_their_ends(lay, end):
    words = [c.published for c in catalogue()["census_2021_household_deprivation"].columns]
    header = ",".join(f"Household deprivation: {w}{end}" for w in words)
    text = f"date,geography,geography code,{header}\n2021,A,E01000001,50,30,15,4,1\n"
    table = lay("census_2021_household_deprivation", zipped("census2021-ts011-lsoa.csv", text))
    assert table.values["households"].tolist() == [[100.0]]
    assert table.values["deprived_share"].tolist() == [[0.5]]


def test_a_census_zip_without_its_member_or_cut_short_is_refused(lay):
    with pytest.raises(DataError, match=r"there is no single 'census2021-ts011-lsoa\.csv'"):
        lay("census_2021_household_deprivation", zipped("census2021-ts011-msoa.csv", "a"))
    with pytest.raises(DataError, match="the zip cannot be read"):
        lay("census_2021_household_deprivation", zipped("census2021-ts011-lsoa.csv", "a")[:60])


def test_a_census_table_of_2011_is_quoted_and_says_rural_urban(lay):
    table = lay(
        "census_2011_dwellings",
        '"date","geography","geography code","Rural Urban",'
        '"Dwelling Type: All categories: Household spaces; measures: Value",'
        '"Dwelling Type: Household spaces with at least one usual resident; measures: Value",'
        '"Dwelling Type: Household spaces with no usual residents; measures: Value",'
        '"Dwelling Type: Shared dwelling; measures: Value"\n'
        '"2011","Darlington 001B","E01012334","Total",640,608,32,0\n',
    )
    assert table.values["household_spaces_with_residents"].tolist() == [[608.0]]
    assert table.values["vacant_share"].tolist() == [[0.05]]


def test_nomis_rows_come_in_any_order_and_case(lay):
    table = lay(
        "population_mid_year_lsoa21",
        '"geography_code","geography_name","date_name","obs_value","record_count"\n'
        '"E01000002","City of London 001B","2012",1411,4\n'
        '"E01000001","City of London 001A","2012",1475,4\n'
        '"E01000002","City of London 001B","2011",1438,4\n'
        '"E01000001","City of London 001A","2011",1465,4\n',
    )
    assert table.values["residents"].tolist() == [[1465.0, 1475.0], [1438.0, 1411.0]]


def test_an_empty_claimant_count_is_hidden_and_no_zero(lay):
    table = lay(
        "claimant_count",
        '"GEOGRAPHY_CODE","GEOGRAPHY_NAME","DATE","OBS_VALUE","RECORD_COUNT"\n'
        '"E01000001","City of London 001A","2013-01",,2\n'
        '"E01000001","City of London 001A","2013-02",10,2\n',
    )
    np.testing.assert_array_equal(table.values["claimants"], [[np.nan, 10]])
    assert why(table, "claimants") == [["suppressed", ""]]


def test_estimates_with_a_sheet_a_year_leave_out_notes_and_districts(tmp_path):
    bands = [
        f"{sex}{band}"
        for sex in "FM"
        for band in ("0 to 15", "16 to 29", "30 to 44", "45 to 64", "65 and over")
    ]
    header = ["LAD 2023 Code", "LAD 2023 Name", "LSOA 2021 Code", "LSOA 2021 Name", "Total", *bands]
    row = ["E06000001", "Hartlepool", "E01011949", "Hartlepool 009A", 100, *range(5, 15)]
    total = ["E06000001", "Hartlepool", "", "", 9999, *range(5, 15)]
    sheets = {
        f"Mid-{year} LSOA 2021": [["About"], ["Notes"], [""], header, total, row]
        for year in (2022, 2023, 2024)
    }
    release = catalogue()["population_broad_age"]
    (file,) = release.files
    path = tmp_path / "book.ods"
    path.write_bytes(ods(sheets))
    frame, n = layout(file.layout)(file, path)
    assert n == 3
    assert frame["period"].tolist() == ["2022", "2023", "2024"]
    assert frame["F65 and over"].tolist() == [9, 9, 9]


def test_house_prices_are_by_quarter_and_too_few_sales_are_hidden(lay):
    rows = [
        ["Median price paid"],
        ["Local authority code", "LSOA code", "LSOA name", "Year ending Dec 1995", "Year ending Mar 1996"],
        ["E06000001", "E01011949", "Hartlepool 009A", 34000, ":"],
        ["E06000001", "", "Hartlepool", 1, 1],
    ]
    table = lay("house_prices", zipped("HPSSA 46.ods", ods({"1a": rows})))
    assert table.periods.labels[0] == "1995-Q4"
    np.testing.assert_array_equal(table.values["median_price_gbp"], [[34000, np.nan]])
    assert why(table, "median_price_gbp") == [["", "suppressed"]]


def test_vacant_dwellings_are_by_day_of_october_with_regions_left_out(lay):
    rows = [
        ["All vacants"],
        ["[x] = not available"],
        ["ONS code", "Area", "01/11/2004", "10/10/2005"],
        ["E92000001", "England", 700000, 710000],
        ["E12000001", "North East", 40000, 41000],
        ["E06000001", "Hartlepool", "[x]", 1200],
    ]
    table = lay("vacant_dwellings", ods({"All_vacants": rows, "All_long_term_vacants": rows}))
    assert table.areas.tolist() == ["E06000001"]
    np.testing.assert_array_equal(table.values["vacant_dwellings"], [[np.nan, 1200]])
    assert why(table, "vacant_dwellings") == [["not_published", ""]]


def test_fly_tipping_has_a_title_thousands_and_a_pound_sign_in_latin_1(lay):
    text = (
        "Fly-tipping incidents reported by local authorities\n"
        "Year,ONS Code,LA Name,Region,Reporting basis,Total Incidents,"
        "Total Incidents Clearance Costs (£)\n"
        '2023-24,E06000001,Hartlepool,North East,Staff and customer,"3,205","61,000"\n'
        '2024-25,E06000001,Hartlepool,North East,Staff and customer,980,"61,000"\n'
        '2024-25,E12000001,*Total,North East,,"99,000","61,000"\n'
    )
    table = lay("fly_tipping_total", text.encode("latin-1"))
    assert table.values["total_incidents"].tolist() == [[3205.0, 980.0]]
    assert table.periods.labels[0] == "2023"


def test_years_in_headers_become_periods(lay):
    table = lay(
        "mental_health_index",
        "lsoa11,samhi_index.2011,samhi_dec.2011,samhi_index.2012,samhi_dec.2012\n"
        "E01000001,-0.5,2,-0.25,3\nE01000002,1.5,10,,\n",
    )
    np.testing.assert_array_equal(table.values["mental_health_index"], [[-0.5, -0.25], [1.5, np.nan]])
    assert why(table, "mental_health_index")[1] == ["", "not_published"]


COLLISIONS = (
    "collision_index,date,collision_severity,lsoa_of_accident_location\n"
    "1,03/01/2015,3,E01000001\n2,30/01/2015,1,E01000001\n3,01/03/2015,2,E01000002\n"
    "4,01/03/2015,3,-1\n"
)


def test_collisions_are_counted_by_month_and_a_month_without_one_is_zero(lay):
    table = lay("road_collisions", COLLISIONS)
    assert table.values["collisions"].tolist() == [[2, 0, 0], [0, 0, 1]]
    assert table.values["fatal"].tolist() == [[1, 0, 0], [0, 0, 0]]
    assert table.records[0].rows_read == 4


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (",1,E01000001", ",7,E01000001", "a severity is not 1, 2 or 3"),
        ("30/01/2015", "2015-01-30", "the file cannot be read"),
        ("E0100000", "S0100000", "no row has an LSOA"),
    ],
)
def test_collisions_laid_out_otherwise_are_refused(lay, old, new, what):
    with pytest.raises(DataError, match=what):
        lay("road_collisions", COLLISIONS.replace(old, new))


STAT_XPLORE = """Stat-Xplore

"Households on Universal Credit"
"Counting: Households on Universal Credit"

Filters:
"Default Summation","Households on Universal Credit"

"Month","August 2015","August 2015 - Annotations","December 2021 (r)","December 2021 - Annotations",
"National - Regional - LA - OAs",
"County Durham 001",..,,1024,,
"Aberdeen West",7,,8,,
"Total",31,,1032,,

"Note: statistical disclosure control has been applied.",
"""


def stat_xplore(tmp_path, text):
    release = catalogue()["universal_credit_households"]
    (file,) = release.files
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return release, file, path


def test_stat_xplore_tables_are_read_between_their_notes(tmp_path):
    _, file, path = stat_xplore(tmp_path, STAT_XPLORE)
    frame, n = layout("stat_xplore")(file, path)
    assert n == 2
    assert frame.to_numpy().tolist() == [
        ["County Durham 001", "2015-08", ".."],
        ["County Durham 001", "2021-12", "1024"],
        ["Aberdeen West", "2015-08", "7"],
        ["Aberdeen West", "2021-12", "8"],
    ]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"Month",', '"Quarter",', "no row begins with 'Month'"),
        ('August 2015",', 'Summer 2015",', "'Summer 2015' in its header is neither a month"),
        ("December 2021 (r)", "August 2015", "names no periods, or one of them twice"),
    ],
)
def test_stat_xplore_tables_of_another_form_are_refused(tmp_path, old, new, what):
    _, file, path = stat_xplore(tmp_path, STAT_XPLORE.replace(old, new))
    with pytest.raises(DataError, match=what):
        layout("stat_xplore")(file, path)


def test_nil_or_negligible_is_hidden_and_never_zero(tmp_path):
    release, file, path = stat_xplore(tmp_path, STAT_XPLORE)
    coded = path.read_text(encoding="utf-8").replace("County Durham 001", "E02004297")
    path.write_text(coded.replace("Aberdeen West", "E02004298"), encoding="utf-8")
    table = assemble(release, ((file, path),), None)
    assert np.isnan(table.values["households"][0, 0])
    assert why(table, "households")[0][0] == "suppressed"
    assert release.hidden == (0, 4)


def test_the_header_of_2025_that_the_publisher_cuts_at_80_characters_is_the_one_read():
    columns = {c.name: c.published for c in catalogue()["imd_2025"].columns}
    assert columns["children_and_young_people_decile"] == (
        "Children and Young People Sub-domain Decile (where 1 is most deprived 10% of LSO"
    )
    older = {c.name: c.published for c in catalogue()["imd_2019"].columns}
    assert older["children_and_young_people_decile"].endswith("of LSOAs)")

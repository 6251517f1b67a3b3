"""England and Wales as its publishers give it, rewritten from the shared copies in their layouts.

Areas, codes and rows are the country's; where no copy holds a column, its values are made up from
the area's number, so that every reader has something to read. One lookup and one workbook are the
publishers' own files.
"""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd

from areaeffect.sources.publishers.police_archive import PAGE
from areaeffect.sources.publishers.releases import catalogue
from tests.shared.publisher_mirror import Item, Mirror, Service
from tests.shared.spreadsheets import ods

#: How the names of the LSOAs begin that Gwent Police covers.
GWENT = ("Blaenau Gwent", "Caerphilly", "Monmouthshire", "Newport", "Torfaen")
V3 = "LSOA_(2011)_to_LSOA_(2021)_to_Local_Authority_District_(2022)_Exact_Fit_Lookup_for_EW_(V3).csv"


class Country:
    """The shared copies, read once."""

    def __init__(self, shared: Path) -> None:
        self.shared = shared

    @cache  # noqa: B019  # lives as long as the session
    def table(self, path):
        return pd.read_parquet(self.shared / path)

    @property
    def lsoa21(self):
        found = self.table("geography/lookup_lsoa21_msoa21_lad22_region22.parquet")
        return found.sort_values("LSOA21CD").reset_index(drop=True)

    @property
    def lsoa11(self):
        found = self.table("geography/lookup_lsoa11_msoa11_ltla11_ltla21_region21.parquet")
        return found.sort_values("lsoa11_code").reset_index(drop=True)


def fill(mirror: Mirror, shared: Path, folder: Path) -> None:
    """Give a mirror everything that `areaeffect fetch england`, `wales` and `england-2011` ask for."""
    country = Country(shared)
    _geography(mirror, country, folder)
    _census(mirror, country)
    _deprivation(mirror, country)
    _others(mirror, country)
    _wales(mirror, country)


def fill_police(mirror: Mirror, shared: Path) -> None:
    """Give a mirror the Cleveland files, in each archive that a month of them is taken from.

    Gwent's files beside them are Cleveland's, on the codes of Gwent and without points.
    """
    made = io.BytesIO((shared / "police_uk/archive/cleveland_2023-01_2025-11.zip").read_bytes())
    places = Country(shared).lsoa21.set_index("LSOA21NM")["LSOA21CD"]
    gwent = places[places.index.str.startswith(GWENT)].tolist()
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive:
        months = [n for n in archive.namelist() if n.endswith("-cleveland-street.csv")]
        tables = [pd.read_csv(archive.open(n), dtype=str, keep_default_na=False) for n in months]
        codes = sorted({c for t in tables for c in t["LSOA code"] if c})
        moved = dict(zip(codes, gwent, strict=False))
        for name, table in zip(months, tables, strict=True):
            code = table["LSOA code"].map(moved)
            named = table.assign(**{"LSOA code": code, "LSOA name": "", "Longitude": "", "Latitude": ""})
            text = named[code.notna()].to_csv(index=False, lineterminator="\n")
            archive.writestr(name.replace("cleveland", "gwent"), text.replace("Cleveland", "Gwent"))
    whole = made.getvalue()
    for archive in ("2023-04", "2026-04"):
        stored = f"https://policeuk-data.s3.amazonaws.com/archive/{archive}.zip"
        mirror.put(stored, whole)
        mirror.fail(f"{PAGE}{archive}.zip", *[("redirect", stored)] * 1000)


def _origin(release, file=0):
    return catalogue()[release].files[file].origin


def _csv(frame):
    """A CSV as the portal exports it: with a byte order mark, and an ObjectId at the end."""
    frame = frame.assign(ObjectId=np.arange(1, len(frame) + 1))
    return b"\xef\xbb\xbf" + frame.to_csv(index=False, lineterminator="\n").encode()


def _service(mirror, release, frame, shapes=(), file=0):
    frame = frame.assign(ObjectId=np.arange(1, len(frame) + 1)).astype(object)
    frame = frame.where(frame.notna(), None)
    rows = frame.to_dict("records")
    mirror.services[_origin(release, file).service] = Service(rows, list(shapes))


def _geography(mirror, country, folder):
    path = folder / "lsoa21.gpkg"
    outlines = geopandas.read_parquet(country.shared / "geography/lsoa21_boundaries_bgc.parquet")
    named = outlines.rename(columns={"lsoa21cd": "LSOA21CD"})[["LSOA21CD", "geometry"]]
    named.to_crs(27700).to_file(path, layer="LSOA_2021_EW_BGC_V5", driver="GPKG")
    item = _origin("boundaries_lsoa21").item
    mirror.items[item] = Item(path.read_bytes(), "geoPackage", not_ready=2)
    # 2011: the item is gone, its service gives GeoJSON in pages
    simple = geopandas.read_parquet(
        country.shared / "geography/lsoa11_boundaries_simplified.parquet"
    ).sort_values("lsoa11_code")
    shapes = [f["geometry"] for f in json.loads(simple[["geometry"]].to_json())["features"]]
    _service(mirror, "boundaries_lsoa11", pd.DataFrame({"LSOA11CD": simple["lsoa11_code"]}), shapes)
    genuine = (country.shared / "publisher_files/lookups" / V3).read_bytes()
    mirror.items[_origin("lookup_lsoa11_lsoa21").item] = Item(genuine)
    old = country.table("geography/lookup_lsoa01_lsoa11.parquet")
    names = {"lsoa01_code": "LSOA01CD", "lsoa11_code": "LSOA11CD", "change_code": "CHGIND"}
    _service(mirror, "lookup_lsoa01_lsoa11", old.rename(columns=names)[list(names.values())])

    new = country.lsoa21
    district = new[["LSOA21CD", "LSOA21NM", "LAD22CD", "LAD22NM", "RGN22CD", "RGN22NM"]]
    mirror.items[_origin("places_lsoa21").item] = Item(_csv(district))
    columns = ["LSOA21CD", "LSOA21NM", "MSOA21CD", "MSOA21NM"]
    smaller = _output_areas(new[columns], 188_880, "OA21CD")
    mirror.items[_origin("places_lsoa21", 1).item] = Item(_csv(smaller))
    old = country.lsoa11.rename(
        columns={
            "lsoa11_code": "LSOA11CD",
            "lsoa11_name": "LSOA11NM",
            "msoa11_code": "MSOA11CD",
            "msoa11_name": "MSOA11NM",
            "ltla11_code": "LAD11CD",
            "ltla11_name": "LAD11NM",
            "ltla21_code": "LAD20CD",
            "ltla21_name": "LAD20NM",
        }
    )
    columns = ["LSOA11CD", "LSOA11NM", "MSOA11CD", "MSOA11NM", "LAD11CD", "LAD11NM"]
    _service(mirror, "places_lsoa11", _output_areas(old[columns], 181_408, "OA11CD"))
    wards = country.table("geography/lookup_lsoa11_ward17.parquet").rename(
        columns={"lsoa11_code": "LSOA11CD", "ward17_code": "WD20CD"}
    )
    wards = old[["LSOA11CD", "LSOA11NM", "LAD20CD", "LAD20NM"]].merge(wards, on="LSOA11CD")
    mirror.items[_origin("places_lsoa11", 1).item] = Item(_csv(wards.assign(WD20NM="a ward")))
    _districts(mirror, country)


def _districts(mirror, country):
    def upper(path, names):
        return country.table(path).rename(columns=names)[list(names.values())]

    wards = upper(
        "geography/lookup_lsoa21_ward24_ltla24.parquet",
        {
            "lsoa21_code": "LSOA21CD",
            "lsoa21_name": "LSOA21NM",
            "ward24_code": "WD24CD",
            "ward24_name": "WD24NM",
            "ltla24_code": "LAD24CD",
            "ltla24_name": "LAD24NM",
        },
    )
    _service(mirror, "ward_lsoa21", wards)
    classes = upper(
        "geography/rural_urban_classification_2021_lsoa21.parquet",
        {
            "lsoa21_code": "LSOA21CD",
            "ruc21_code": "RUC21CD",
            "classification": "RUC21NM",
            "ruc": "Urban_rural_flag",
        },
    )
    _service(mirror, "rural_urban_lsoa21", classes.assign(LSOA21NM="a name"))
    districts = country.lsoa21[["LAD22CD", "LAD22NM"]].drop_duplicates()
    forces = country.table("geography/lookup_ltla24_csp24_pfa24.parquet")
    forces = forces.drop_duplicates("ltla24_code").set_index("ltla24_code")
    code = districts["LAD22CD"].map(forces["pfa24_code"]).fillna("E23000000")
    name = districts["LAD22CD"].map(forces["pfa24_name"]).fillna("not in the copy")
    named = districts.assign(CSP22CD="", PFA22CD=code, PFA22NM=name)
    mirror.items[_origin("police_force_area").item] = Item(_csv(named))
    for year, frame, columns in (
        (2021, country.lsoa21, ("MSOA21CD", "MSOA21NM")),
        (2011, country.lsoa11, ("msoa11_code", "msoa11_name")),
    ):
        names = frame[list(columns)].drop_duplicates()
        short = f"msoa{year % 100}"
        names.columns = [f"{short}cd", f"{short}nm"]
        names[f"{short}hclnm"] = "Centre of " + names[f"{short}nm"]
        text = names.to_csv(index=False).encode()
        mirror.put(_origin(f"msoa_names_{year}").address, text)


def _output_areas(areas, n, column):
    """Give every area some output areas, n in all."""
    rows = np.sort(np.arange(n) % len(areas))
    frame = areas.iloc[rows].reset_index(drop=True)
    frame.insert(0, column, [f"E00{i:06d}" for i in range(n)])
    return frame


def _made_up(codes, column):
    """A number for each area and column that no copy has."""
    return np.arange(len(codes)) % 97 + len(column)


def _of_copy(country, release, codes):
    """The columns of a copy of a census table, by the publisher's headers."""
    (copy,) = catalogue()[release].copies
    frame = country.table(copy.path)
    frame = frame.pivot(index=copy.area, columns=copy.category, values=copy.value)
    frame.columns = frame.columns.astype(str)
    named = {c.copied: c.published for c in catalogue()[release].columns}
    return frame.rename(columns=named).loc[codes, list(named.values())].reset_index(drop=True)


def _census(mirror, country):
    places = country.lsoa21
    variables = {
        "ts001": ("Residence type", "; measures: Value"),
        "ts011": ("Household deprivation", "; measures: Value"),
        "ts021": ("Ethnic group", ""),
        "ts038": ("Disability", ""),
        "ts044": ("Accommodation type", ""),
        "ts054": ("Tenure of household", ""),
        "ts066": ("Economic activity status", ""),
    }
    for release in catalogue().values():
        if not release.id.startswith("census_2021_") or not release.is_fetched:
            continue
        table = release.files[0].sheet.split("-")[1]
        variable, end = variables[table]
        codes = places["LSOA21CD"].to_numpy()
        if release.copies:
            values = _of_copy(country, release.id, codes)
        elif table == "ts001":
            ethnic = _of_copy(country, "census_2021_ethnic_group", codes).sum(axis=1)
            values = pd.DataFrame({"Total": ethnic, "Lives in a household": ethnic})
            values["Lives in a communal establishment"] = 0
        else:
            headers = [c.published for c in release.columns]
            values = pd.DataFrame({h: _made_up(codes, h) for h in headers})
        values.columns = [f"{variable}: {c}{end}" for c in values.columns]
        frame = pd.concat([places["LSOA21NM"], places["LSOA21CD"], values], axis=1)
        frame.columns = ["geography", "geography code", *values.columns]
        frame.insert(0, "date", 2021)
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr(f"metadata/{table}-2021-1.txt", "about the table")
            out.writestr(release.files[0].sheet, frame.to_csv(index=False))
        mirror.put(release.files[0].origin.address, made.getvalue())
    _census_2011(mirror, country)


def _census_2011(mirror, country):
    places = country.lsoa11
    codes = places["lsoa11_code"].to_numpy()
    for release, variable in (
        ("census_2011_household_deprivation", "Household Deprivation"),
        ("census_2011_dwellings", "Dwelling Type"),
        ("census_2011_tenure", "Tenure"),
    ):
        if catalogue()[release].copies:
            values = _of_copy(country, release, codes)
        else:
            headers = [c.published for c in catalogue()[release].columns]
            values = pd.DataFrame({h: _made_up(codes, h) for h in headers})
        values.columns = [f"{variable}: {c}; measures: Value" for c in values.columns]
        frame = pd.concat([places["lsoa11_name"], places["lsoa11_code"], values], axis=1)
        frame.columns = ["geography", "geography code", *values.columns]
        frame.insert(0, "date", "2011")
        frame.insert(3, "Rural Urban", "Total")
        text = frame.to_csv(index=False, quoting=2).encode()
        mirror.put(_origin(release).address, text)


def _deprivation(mirror, country):
    for year in (2010, 2015, 2019, 2025):
        release = catalogue()[f"imd_{year}"]
        (file,) = release.files
        frames = [
            country.table(c.path).rename(columns={c.area: "code"}).set_index("code") for c in release.copies
        ]
        frame = pd.concat(frames, axis=1)
        frame = frame.loc[:, ~frame.columns.duplicated()].sort_index()
        made = {file.area: frame.index.to_numpy()}
        if file.name:
            made[file.name] = [f"Name of {code}" for code in frame.index]
        for column in release.columns:
            if column.published:
                held = frame[column.copied].to_numpy() if column.copied else None
                made[column.published] = _made_up(frame.index, column.published) if held is None else held
        text = pd.DataFrame(made).to_csv(index=False).encode()
        origin = file.origin
        if year == 2010:
            mirror.put(origin.address, text)
        else:  # it moved: the content page of gov.uk lists where to
            name = origin.address.rpartition("/")[2]
            moved = f"https://assets.publishing.service.gov.uk/media/new{year}/{name}"
            mirror.put(moved, text)
            mirror.govuk(origin.page, {f"File 7: all {year} scores": moved})


def _others(mirror, country):
    copy = country.table("population/mid_year_estimates_lsoa11_2017_2019_2020.parquet")
    keys = zip(copy["lsoa11_code"], copy["year"].astype(int), strict=True)
    known = dict(zip(keys, copy["total_population"].astype(int), strict=True))
    for release, frame, code, name, years in (
        ("population_mid_year_lsoa21", country.lsoa21, "LSOA21CD", "LSOA21NM", range(2011, 2025)),
        ("population_mid_year", country.lsoa11, "lsoa11_code", "lsoa11_name", range(2011, 2021)),
    ):
        dataset = _origin(release).address.rpartition("/")[2].partition(".")[0]
        codes, names = frame[code].tolist(), frame[name].tolist()
        held = known if release == "population_mid_year" else {}
        rows = [
            [codes[i], names[i], year, held.get((codes[i], year), 1500 + i % 100 + year - 2011)]
            for year in years
            for i in reversed(range(len(codes)))  # Nomis does not sort by code
        ]
        header = ["GEOGRAPHY_CODE", "GEOGRAPHY_NAME", "DATE_NAME", "OBS_VALUE"]
        mirror.nomis[dataset] = [header, *rows]
    ods = country.shared / "environment/defra_fly_tipping_local_authority_2012_13_to_2022_23.ods"
    mirror.put(_origin("fly_tipping").address, ods.read_bytes())
    origin = _origin("vacant_dwellings")
    moved = "https://assets.publishing.service.gov.uk/media/6b/Live_Table_615.ods"
    mirror.put(moved, live_table_615(country.lsoa21["LAD22CD"].drop_duplicates().tolist()))
    mirror.govuk(
        origin.page,
        {"Table 100: dwellings": "https://x/Live_Table_100.ods", "Table 615: vacant dwellings": moved},
    )


def _wales(mirror, country):
    """The ranks of Wales, made up; and the classes of 2011 that `england-2011` has beside."""
    codes = country.lsoa21["LSOA21CD"]
    codes = codes[codes.str.startswith("W")].tolist()
    header = ["LSOA code", "LSOA name (Eng)", "WIMD 2025", "Income", "Employment", "Health", "Education"]
    header += ["Access to Services", "Housing", "Community Safety", "Physical Environment"]
    ranks = [[(7 * i + k * 211) % len(codes) + 1 for k in range(9)] for i in range(len(codes))]
    rows = [[code, "A name", *rank] for code, rank in zip(codes, ranks, strict=True)]
    mirror.put(_origin("wimd_2025").address, ods({"WIMD 2025 ranks": [["Ranks"], header, *rows]}))
    classes = country.table("geography/rural_urban_classification_2011_lsoa11.parquet")
    classes = classes[["lsoa11_code", "ruc11_code", "classification"]]
    classes.columns = ["LSOA11CD", "RUC11CD", "RUC11"]
    mirror.items[_origin("rural_urban_lsoa11").item] = Item(_csv(classes.assign(LSOA11NM="A name")))


def live_table_615(districts):
    """Live table 615 as an .ods since 2026: a title, a note, the header on row 3, regions in it."""
    header = ["ONS code", "Area", *(f"0{y % 7 + 1}/10/{y}" for y in range(2004, 2026))]
    rows = [["All vacants"], ["[x] = not available"], header, ["E92000001", "England", *range(22)]]
    for i, code in enumerate(d for d in districts if d.startswith("E")):
        counts = [i + y for y in range(22)]
        rows.append([code, f"District {i}", *(["[x]"] * 3 if i == 0 else counts[:3]), *counts[3:]])
    return ods({"Cover": [["Live Table 615"]], "All_vacants": rows, "All_long_term_vacants": rows})

"""Make the real example that travels with the package: `python tools/make_london.py`.

Reads the shared data folder (`AREAEFFECT_SHARED_DATA`, by default `../shared/data`) and writes
src/areaeffect/examples/london. Run it again and the same bytes are written. The study files and
the README there are written by hand.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from areaeffect.assembly.assemble import assemble
from areaeffect.study.file import read_study
from areaeffect.study.parts import SHARED_DATA_VARIABLE, resolve

if TYPE_CHECKING:
    from areaeffect.assembly.assemble import Assembled

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "src" / "areaeffect" / "examples" / "london"
SHARED = resolve(f"${{{SHARED_DATA_VARIABLE}}}", HERE)
#: Outlines lose what is finer than this, in metres; neighbours keep their common borders.
TOLERANCE = 10.0
NATIONAL_GRID = 27700
BIG_LOCAL = HERE.parent / "studies" / "big_local" / "london_work.toml"


def main() -> None:
    """Write every file of the example."""
    OUT.mkdir(parents=True, exist_ok=True)
    months = pd.read_parquet(SHARED / "police_uk" / "panels" / "london_2008_2016_lsoa11_month_total.parquet")
    places = months[["lsoa11_code", "lsoa11_name", "borough"]].drop_duplicates("lsoa11_code")
    places = places.rename(columns={"lsoa11_code": "area_code", "lsoa11_name": "area_name"})
    places = places.sort_values("area_code", ignore_index=True)
    covered = months[months["borough"] != "City of London"]
    crimes = covered.rename(columns={"lsoa11_code": "area_code", "n": "crimes"})
    write(crimes[["area_code", "month", "crimes"]].sort_values(["area_code", "month"]), "crime_by_month")
    years = pd.read_parquet(SHARED / "met_police" / "london_lsoa11_year_major_category_2011_2021.parquet")
    years = years.rename(columns={"lsoa11_code": "area_code", "count": "crimes"})
    years = years[years["category"] != "sexual"]  # zero everywhere: not supplied
    years["category"] = years["category"].replace({"arson": "criminal damage and arson"})
    write(years.sort_values(["area_code", "year", "category"]), "crime_by_year")
    data = assemble(read_study(BIG_LOCAL))
    write(characteristics(places, data), "areas")
    write(whereabouts(places), "places")
    write_others(data)
    write_outlines(set(places["area_code"]))
    write_initiatives(set(places["area_code"]))


def write(table: pd.DataFrame, name: str) -> None:
    """Write a table as Parquet: the same bytes for the same rows."""
    made = pa.Table.from_pandas(table.reset_index(drop=True), preserve_index=False)
    pq.write_table(
        made.replace_schema_metadata(None), OUT / f"{name}.parquet", compression="zstd", compression_level=19
    )


def characteristics(places: pd.DataFrame, data: Assembled) -> pd.DataFrame:
    """Return what is known of each area: residents, homes, deprivation before and after."""
    census = pd.read_parquet(
        SHARED / "population" / "census_2011_persons_households_hectares_lsoa11.parquet"
    ).rename(columns={"lsoa11_code": "area_code"})
    held = pd.read_parquet(SHARED / "census" / "census_2011_household_deprivation_lsoa11.parquet")
    none = held[held["households_number_deprivation_dimensions"] == 0]
    none = none.rename(columns={"lsoa11_code": "area_code", "proportion": "not_deprived_2011"})
    imd = pd.read_parquet(SHARED / "deprivation" / "imd2015_england_lsoa11_overall.parquet")
    imd = imd.rename(
        columns={
            "lsoa11_code": "area_code",
            "IMD_score": "deprivation_score_2015",
            "IMD_decile": "deprivation_decile_2015",
        }
    )
    panel = data.panel
    before = pd.DataFrame(
        {"area_code": panel.areas, "income_score_2008": panel.covariates[:, 0],
         "employment_score_2008": panel.covariates[:, 1]}
    )  # fmt: skip
    joined = places.merge(census[["area_code", "persons_all", "households"]], how="left")
    joined = joined.rename(columns={"persons_all": "residents_2011", "households": "households_2011"})
    joined = joined.merge(none[["area_code", "not_deprived_2011"]], how="left")
    joined = joined.merge(before.round(6), how="left")
    return joined.merge(imd[["area_code", "deprivation_score_2015", "deprivation_decile_2015"]], how="left")


def whereabouts(places: pd.DataFrame) -> pd.DataFrame:
    """Return the name, ward and borough of each area, as the web app shows them.

    Wards are those of 2024, of the area of 2021 that an area of 2011 became; of an area that was
    split, of its first part.
    """
    later = pd.read_parquet(SHARED / "geography" / "lookup_lsoa11_lsoa21_ltla22.parquet")
    wards = pd.read_parquet(SHARED / "geography" / "lookup_lsoa21_ward24_ltla24.parquet")
    later = later.sort_values(["lsoa11_code", "lsoa21_code"]).drop_duplicates("lsoa11_code")
    later = later.merge(wards[["lsoa21_code", "ward24_name"]], on="lsoa21_code")
    later = later.rename(columns={"lsoa11_code": "area_code", "ward24_name": "ward"})
    named = places.rename(columns={"area_name": "name", "borough": "authority"})
    named = named.merge(later[["area_code", "ward"]], on="area_code", how="left")
    named["region"], named["force"] = "London", "Metropolitan Police"
    named.loc[named["authority"] == "City of London", "force"] = "City of London Police"
    return named[["area_code", "name", "ward", "authority", "region", "force"]]


def write_outlines(codes: set[str]) -> None:
    """Write simplified outlines on the British National Grid, whole metres."""
    outlines = gpd.read_parquet(SHARED / "geography" / "lsoa11_boundaries_bgc.parquet")
    outlines = outlines[outlines["lsoa11cd"].isin(codes)].sort_values("lsoa11cd")
    metres = outlines.to_crs(NATIONAL_GRID).geometry.to_numpy()
    simple = shapely.set_precision(shapely.coverage_simplify(metres, TOLERANCE), 1.0)
    made = gpd.GeoDataFrame(
        {"area_code": outlines["lsoa11cd"].to_numpy()}, geometry=simple, crs=NATIONAL_GRID
    )
    made.to_parquet(OUT / "outlines.parquet", compression="zstd", index=False)


def write_initiatives(codes: set[str]) -> None:
    """Write the Big Local areas found in London, and the boroughs that licensed rented homes."""
    inputs = SHARED / "studies_input"
    areas = pd.read_csv(inputs / "big_local" / "areas_lsoa11.csv", dtype=str)
    areas[areas["area_code"].isin(codes)].to_csv(OUT / "big_local.csv", index=False, lineterminator="\n")
    licensing = pd.read_csv(inputs / "london_selective_licensing" / "areas.csv", dtype=str)
    licensing.to_csv(OUT / "licensing.csv", index=False, lineterminator="\n")


def write_others(data: Assembled) -> None:
    """Write what else is known to have gone on in London: areas by code, and what was not found."""
    ours = {str(a) for a in data.panel.areas}
    boroughs = {str(b) for b in data.registered.known.authority if b}
    studied = {n.name for n in data.neighbourhoods}
    rows = []
    for e in data.registered.known.entries:
        if e.programme == "Big Local" and e.name in studied:
            continue
        if not (set(e.areas) & ours or (not e.areas and e.authority in boroughs)):
            continue
        for code in sorted(set(e.areas) & ours) or [""]:
            rows.append((e.programme, e.name, e.authority, e.start, e.end, e.resident_led, code))
    with (OUT / "other_initiatives.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            (
                "programme",
                "neighbourhood",
                "local_authority",
                "start_date",
                "end_date",
                "resident_led",
                "area_code",
            )
        )
        writer.writerows(sorted(rows))


if __name__ == "__main__":
    main()

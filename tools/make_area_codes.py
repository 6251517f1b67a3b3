"""Make the packaged tables of area codes: `python tools/make_area_codes.py SHARED_DATA`.

Reads the exact-fit lookups of the Office for National Statistics and writes, beside
`areaeffect/geography/codes.py`:

- `lsoa_pairs.parquet`: every pair of LSOAs 2001 → 2011 and 2011 → 2021 with its change;
- `lsoa_places.parquet`: the middle-layer area, the police force and the centre (longitude and
  latitude in hundredths of a degree) of every LSOA of 2011 and 2021.
"""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

TARGET = Path(__file__).resolve().parents[1] / "src" / "areaeffect" / "geography"
EXACT_FIT = (
    "publisher_files/lookups/LSOA_(2011)_to_LSOA_(2021)_to_Local_Authority_District_(2022)"
    "_Exact_Fit_Lookup_for_EW_(V3).csv"
)
#: Names of police force areas that are not simply the force's name in lower case.
SLUGS = {"London, City of": "city-of-london", "Metropolitan Police": "metropolitan"}
ATTRIBUTION = (
    "Source: Office for National Statistics licensed under the Open Government Licence v.3.0. "
    "LSOA 2001 to 2011 and 2011 to 2021 exact fit (version 3), LSOA to MSOA 2011 and 2021, "
    "local authority districts to police force areas December 2024."
)


def slug(name: str) -> str:
    """Return a police force area as data.police.uk names the force's files."""
    return SLUGS.get(name) or name.lower().replace("&", "and").replace(" ", "-")


def pairs(shared: Path) -> pd.DataFrame:
    """Return the pairs of both steps."""
    first = pd.read_parquet(shared / "geography/lookup_lsoa01_lsoa11.parquet")
    first = first[["lsoa01_code", "lsoa11_code", "change_code"]].assign(newer_year=2011)
    second = pd.read_csv(shared / EXACT_FIT, encoding="utf-8-sig", dtype=str)
    second = second[["LSOA11CD", "LSOA21CD", "CHGIND"]].assign(newer_year=2021)
    columns = ["older", "newer", "change", "newer_year"]
    both = pd.concat([first.set_axis(columns, axis=1), second.set_axis(columns, axis=1)])
    return both.sort_values(["newer_year", "older", "newer"], ignore_index=True)


def places(shared: Path) -> pd.DataFrame:
    """Return MSOA, force and centre of every LSOA of 2011 and 2021; blank where there is none."""
    folder = shared / "geography"
    old = pd.read_parquet(folder / "lookup_lsoa11_msoa11_ltla11_ltla21_region21.parquet")
    old = old.set_index("lsoa11_code")["msoa11_code"]
    new = pd.read_parquet(folder / "lookup_lsoa21_msoa21_lad22_region22.parquet")
    new = new.set_index("LSOA21CD")["MSOA21CD"]
    force11 = pd.read_parquet(folder / "lookup_lsoa11_police_force_area.parquet")
    force11 = force11.set_index("lsoa11_code")["pfa24_name"]
    areas = pd.read_parquet(folder / "lookup_ltla24_csp24_pfa24.parquet")
    areas = areas.drop_duplicates("ltla24_code").set_index("ltla24_code")["pfa24_name"]
    districts = pd.read_parquet(folder / "lookup_lsoa21_ward24_ltla24.parquet")
    force21 = districts.set_index("lsoa21_code")["ltla24_code"].map(areas)
    table = pd.concat([old.rename("msoa11"), new.rename("msoa21")], axis=1).sort_index()
    force = force21.combine_first(force11).reindex(table.index)
    if force.isna().any():
        sys.exit(f"no force: {force[force.isna()].index.tolist()}")
    clash = force11.reindex(force21.index).dropna()
    clash = clash[clash != force21.reindex(clash.index)]
    if len(clash):
        sys.exit(f"two forces: {clash.index.tolist()}")
    centre = centres(folder, "21").combine_first(centres(folder, "11")).reindex(table.index)
    table = table.fillna("").assign(force=force.map(slug), **centre.astype("int16"))
    return table.rename_axis("code").reset_index()


def centres(folder: Path, census: str) -> pd.DataFrame:
    """Return the centre of every LSOA of a census, in hundredths of a degree."""
    shapes = geopandas.read_parquet(folder / f"lsoa{census}_boundaries_simplified.parquet")
    points = shapely.centroid(shapes.geometry.to_numpy())
    at = (shapely.get_coordinates(points) * 100).round()
    return pd.DataFrame(at, columns=["lon", "lat"], index=shapes[f"lsoa{census}_code"])


def write(frame: pd.DataFrame, name: str) -> None:
    """Write one table, small and always with the same bytes."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({"attribution": ATTRIBUTION})
    pq.write_table(
        table,
        TARGET / name,
        compression="zstd",
        compression_level=19,
        use_dictionary=["change", "force", "newer_year"],
        column_encoding={
            c: "DELTA_BYTE_ARRAY" for c in frame.columns if c in ("older", "newer", "code") or "msoa" in c
        }
        | {c: "DELTA_BINARY_PACKED" for c in ("lon", "lat") if c in frame.columns},
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    write(pairs(folder), "lsoa_pairs.parquet")
    write(places(folder), "lsoa_places.parquet")

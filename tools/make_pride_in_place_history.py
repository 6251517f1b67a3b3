"""Make the months of police.uk before the announcement of Pride in Place, for three forces.

    python tools/make_pride_in_place_history.py SHARED_DATA

Writes studies/pride_in_place/crime_history.parquet: a row an LSOA (2021) and month, zeros explicit.
A month in which blocks of the map are missing from either scraped panel has no row for any area:
nothing is compared in it. No month after August 2025 is written, whatever the panels hold: from
September 2025 on the places were known.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "studies" / "pride_in_place" / "crime_history.parquet"
FIRST, LAST = "2023-09", "2025-08"
ASB, DAMAGE = "Anti-social behaviour", "Criminal damage and arson"
PANELS = {"west_midlands": "West Midlands", "merseyside": "Merseyside"}
ARCHIVE = "cleveland_2023-01_2025-11.zip"
#: Policed by Lancashire, whose files are not here.
OTHER_FORCE = "West Lancashire"
CLEVELAND = ("Hartlepool", "Middlesbrough", "Redcar and Cleveland", "Stockton-on-Tees")


def main(shared: Path) -> None:
    """Count, leave the months with holes out, write."""
    panels = shared / "police_uk" / "panels"
    coverage = pd.read_csv(panels / "api_scraped_borough_month_coverage.csv")
    own = coverage[coverage["borough"] != OTHER_FORCE]
    holes = set(own.loc[own["suspected_hole"], "month"])
    months = [m for m in _months() if m not in holes]
    parts = []
    for name, force in PANELS.items():
        rows = pd.read_parquet(panels / f"{name}_2023_2026_lsoa21_month_category.parquet")
        rows = rows[rows["borough"] != OTHER_FORCE]
        codes = sorted(rows["lsoa21_code"].unique())
        parts.append(_grid(rows, codes, months).assign(force=force))
    parts.append(_cleveland(shared, months).assign(force="Cleveland"))
    found = pd.concat(parts, ignore_index=True).sort_values(["lsoa21_code", "month"])
    found.to_parquet(TARGET, index=False, compression="zstd")
    left_out = ", ".join(m for m in _months() if m in holes)
    sys.stdout.write(f"{TARGET.name}: {len(found):,} rows, {len(months)} months; left out: {left_out}\n")


def _months() -> list[str]:
    return [str(p) for p in pd.period_range(FIRST, LAST, freq="M")]


def _cleveland(shared: Path, months: list[str]) -> pd.DataFrame:
    lookup = pd.read_parquet(shared / "geography" / "lookup_lsoa21_msoa21_lad22_region22.parquet")
    codes = sorted(lookup.loc[lookup["LAD22NM"].isin(CLEVELAND), "LSOA21CD"])
    read = []
    with zipfile.ZipFile(shared / "police_uk" / "archive" / ARCHIVE) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith("-street.csv") and Path(name).name[:7] in months:
                with archive.open(name) as file:
                    read.append(pd.read_csv(file, usecols=["Month", "LSOA code", "Crime type"]))
    rows = pd.concat(read).rename(
        columns={"Month": "month", "LSOA code": "lsoa21_code", "Crime type": "crime_type"}
    )
    return _grid(rows.assign(n=1), codes, months)


def _grid(rows: pd.DataFrame, codes: list[str], months: list[str]) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([codes, months], names=["lsoa21_code", "month"])
    keys = ["lsoa21_code", "month"]
    made = {
        "crime": rows["crime_type"] != ASB,
        "antisocial_behaviour": rows["crime_type"] == ASB,
        "criminal_damage": rows["crime_type"] == DAMAGE,
    }
    counts = {
        name: rows[which].groupby(keys)["n"].sum().reindex(index, fill_value=0)
        for name, which in made.items()
    }
    return pd.DataFrame(counts).astype("int32").reset_index()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

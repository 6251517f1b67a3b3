"""Make the tables of studies/big_local_sequel from the publishers' files.

    python tools/make_big_local_sequel.py SHARED_DATA

- `areas.csv`: MSOAs (2011) of which at least half of the residents live in a Big Local area;
- `others.csv`: MSOAs with fewer, and those of places whose match has low confidence: they
  may not be benchmark areas;
- `children.parquet`: a row an MSOA of England: of children in relative low income in a hundred
  children under 16, the rise from 2014/15 to 2021/22 and the trend over the eight years;
- `before.parquet`: a row an MSOA of England: what was known of it before the programme.

Children under 16 are those of mid-2017 for every year but the last two, of mid-2020 for those: no
other year is at hand by small area.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from areaeffect.sources.publishers.tables import read

TARGET = Path(__file__).parents[1] / "studies" / "big_local_sequel"
HALF = 0.5
#: From this year on the children of mid-2020 are counted.
LATER = "2019"
DOMAINS = {
    "income_score": "Income_score",
    "employment_score": "Employment_score",
    "health_score": "Health_score",
    "education_score": "Education_score",
    "housing_and_services_score": "Housing_and_Access_score",
}


def small_areas(shared: Path) -> pd.DataFrame:
    """Return a row an LSOA (2011): its MSOA, region, residents, and whether Big Local."""
    places = pd.read_parquet(shared / "geography" / "lookup_lsoa11_msoa11_ltla11_ltla21_region21.parquet")
    census = pd.read_parquet(shared / "population" / "census_2011_persons_households_hectares_lsoa11.parquet")
    settlement = pd.read_parquet(shared / "geography" / "rural_urban_classification_2011_lsoa11.parquet")
    named = pd.read_csv(shared / "studies_input" / "big_local" / "areas_lsoa11.csv")
    table = places.merge(census[["lsoa11_code", "persons_all"]], on="lsoa11_code")
    urban = settlement.set_index("lsoa11_code")["ruc"].str.startswith("Urban")
    table["urban"] = table["lsoa11_code"].map(urban)
    named = named.set_index("area_code")
    for column in ("neighbourhood", "start_date", "confidence"):
        table[column] = table["lsoa11_code"].map(named[column])
    return table


def treated(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the MSOAs that are Big Local for the most part, and those that are in part."""
    inside = table[table["neighbourhood"].notna()]
    people = table.groupby("msoa11_code")["persons_all"].sum()
    each = inside.groupby(["msoa11_code", "neighbourhood"], as_index=False).agg(
        persons=("persons_all", "sum"), start_date=("start_date", "first"),
        confidence=("confidence", "first"),
    )  # fmt: skip
    each["share"] = each["persons"] / each["msoa11_code"].map(people)
    each = each.rename(columns={"msoa11_code": "area_code"}).sort_values("area_code")
    most = each[each["share"] >= HALF]
    partly = each[~each["area_code"].isin(most["area_code"])].drop_duplicates("area_code")
    columns = ["area_code", "neighbourhood", "start_date", "confidence"]
    return most[columns], partly[["area_code", "neighbourhood"]]


def less_certain(shared: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Return the MSOAs that places of low confidence lie in, where their codes are known."""
    register = pd.read_csv(shared / "studies_input" / "big_local" / "areas_register.csv")
    low = register[(register["confidence"] == "low") & register["match_code"].notna()]
    wards = pd.read_parquet(shared / "geography" / "lookup_lsoa11_ward17.parquet")
    ward = table["lsoa11_code"].map(wards.set_index("lsoa11_code")["ward17_code"])
    found = []
    for row in low.itertuples():
        codes = str(row.match_code).split("; ")
        inside = ward.isin(codes) | table["msoa11_code"].isin(codes)
        found += [(code, row.area_name) for code in table.loc[inside, "msoa11_code"].unique()]
    return pd.DataFrame(found, columns=["area_code", "neighbourhood"])


def rates(shared: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Return children in low income in a hundred under 16, by MSOA and year."""
    low = read("children_low_income", shared)
    children = pd.DataFrame(
        low.values["children"], index=np.asarray(low.areas), columns=list(low.periods.labels)
    )
    people = pd.read_parquet(shared / "population" / "mid_year_estimates_lsoa11_2017_2019_2020.parquet")
    people["msoa"] = people["lsoa11_code"].map(table.set_index("lsoa11_code")["msoa11_code"])
    young = people.pivot_table(index="msoa", columns="year", values="age_0_15", aggfunc="sum")
    counted = {y: young[2020 if y >= LATER else 2017] for y in children.columns}
    return 100 * children / pd.DataFrame(counted).reindex(children.index)


def known_before(shared: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Return the domain scores of 2008 by MSOA: means over its LSOAs, by residents."""
    scores = pd.read_parquet(shared / "deprivation" / "imd2010_england_lsoa01_domains.parquet")
    codes = pd.read_parquet(shared / "geography" / "lookup_lsoa01_lsoa11.parquet")
    joined = codes.merge(scores, on="lsoa01_code")
    each = joined.groupby("lsoa11_code")[list(DOMAINS.values())].mean()
    mine = table[["lsoa11_code", "msoa11_code", "persons_all"]].join(each, on="lsoa11_code", how="inner")
    weighted = mine[list(DOMAINS.values())].mul(mine["persons_all"], axis=0)
    sums = weighted.groupby(mine["msoa11_code"]).sum()
    means = sums.div(mine.groupby("msoa11_code")["persons_all"].sum(), axis=0)
    return means.set_axis(list(DOMAINS), axis=1)


def main(shared: Path) -> None:
    """Write the three tables."""
    table = small_areas(shared)
    most, partly = treated(table)
    others = pd.concat([partly, less_certain(shared, table)]).drop_duplicates("area_code")
    others = others[~others["area_code"].isin(most["area_code"])].sort_values("area_code")
    places = table.groupby("msoa11_code")
    before = known_before(shared, table)
    before["region"] = places["region21_name"].first()
    before["settlement"] = (places["urban"].mean() >= HALF).map({True: "urban", False: "rural"})
    ranks = before["income_score"].rank(method="first")
    before["income_decile"] = pd.qcut(ranks, 10, labels=False) + 1
    rate = rates(shared, table).reindex(before.index)
    years = np.arange(len(rate.columns)) - (len(rate.columns) - 1) / 2
    made = pd.DataFrame(
        {
            "year": 2021,
            "rise": rate["2021"] - rate["2014"],
            "trend": (rate * years).sum(axis=1, min_count=len(years)) / (years**2).sum(),
        }
    )
    for name, whole in (("children", made), ("before", before)):
        written = whole.rename_axis("area_code").sort_index().reset_index().round(6)
        written.to_parquet(TARGET / f"{name}.parquet", index=False, compression="zstd")
    for name, part in (("areas", most), ("others", others)):
        part.to_csv(TARGET / f"{name}.csv", index=False, lineterminator="\n")
    sys.stdout.write(
        f"{len(most)} MSOAs of {most['neighbourhood'].nunique()} places, {len(others)} others; "
        f"{len(made)} MSOAs of England, {int(made['rise'].isna().sum())} without a rise\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

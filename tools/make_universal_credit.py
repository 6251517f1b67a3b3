"""Make the areas of the study of Universal Credit full service.

    python tools/make_universal_credit.py SHARED_DATA

Reads the schedule of the Department for Work and Pensions (`dwp/ltla_UC_rollout.xlsx`: which local
authority is named in which month), the lookup of MSOAs to authorities, and households by month.
Writes into src/areaeffect/examples/gallery:

- `universal_credit_areas.csv`: MSOAs (2011) of authorities with one month, April to October 2017;
- `universal_credit_places.parquet`: every MSOA of England and Wales, its authority, its use, and
  the authority again where its areas may stand for a treated one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from areaeffect.sources.publishers.tables import read

TARGET = Path(__file__).parents[1] / "src" / "areaeffect" / "examples" / "gallery"
WINDOW = ("2016-04", "2018-04")
TREATED = ("2017-04", "2017-10")
#: What authorities are called in front of, or after, their names.
TITLES = (
    "london borough of",
    "metropolitan borough council",
    "metropolitan district council",
    "metropolitan council",
    "county borough council",
    "borough council",
    "district council",
    "county council",
    "city council",
    "city of",
    "council",
)
#: Authorities that the schedule names otherwise than the lookup does.
OTHERWISE = {"durham": "county durham", "hull": "kingston upon hull"}


def key(name: str) -> str:
    """Return an authority's name without its title, marks and case."""
    text = name.lower().replace("&", "and")
    for mark in "'.,":
        text = text.replace(mark, "")
    for title in TITLES:
        text = text.replace(title, " ")
    text = " ".join(text.replace("-", " ").split())
    return OTHERWISE.get(text, text)


def schedule(shared: Path) -> dict[str, list[str]]:
    """Return the months of each authority, first to last."""
    table = pd.read_excel(shared / "dwp" / "ltla_UC_rollout.xlsx", engine="calamine")
    table = table[table["Local Authority"].notna()]
    months = table.columns[1:-1]
    found: dict[str, set[str]] = {}
    for row in table.to_dict("records"):
        named = {pd.Timestamp(f"1 {m}").strftime("%Y-%m") for m in months if row[m] == 1}
        found.setdefault(key(str(row["Local Authority"])), set()).update(named)
    return {name: sorted(named) for name, named in found.items()}


def hidden(shared: Path) -> set[str]:
    """Return the areas with a month of the window that the publisher hides or does not hold."""
    table = read("universal_credit_households", shared)
    labels = list(table.periods.labels)
    inside = slice(labels.index(WINDOW[0]), labels.index(WINDOW[1]) + 1)
    gaps = np.isnan(table.values["households"][:, inside]).any(axis=1)
    return set(np.asarray(table.areas)[gaps])


def main(shared: Path) -> None:
    """Write both tables."""
    lookup = pd.read_parquet(
        shared / "geography" / "lookup_lsoa11_msoa11_ltla11_ltla21_region21.parquet",
        columns=["msoa11_code", "ltla21_name"],
    ).drop_duplicates("msoa11_code")
    lookup = lookup.sort_values("msoa11_code").rename(columns={"msoa11_code": "area_code"})
    months, gone = schedule(shared), hidden(shared)
    missing = {key(name) for name in lookup["ltla21_name"]} - set(months)
    sys.stdout.write(f"not in the schedule, left out: {', '.join(sorted(missing))}\n")

    def use(area: str, authority: str) -> str:
        named = months.get(key(authority), [])
        if not named or not (_is_treated(named) or named[0] > WINDOW[1]):
            return "left out"
        if area in gone:
            return "hidden"
        return "full service" if _is_treated(named) else "benchmark"

    lookup["authority"] = lookup["ltla21_name"]
    lookup["use"] = [use(a, n) for a, n in zip(lookup["area_code"], lookup["authority"], strict=True)]
    lookup["place"] = lookup["authority"].where(lookup["use"] == "benchmark", "")
    columns = ["area_code", "authority", "use", "place"]
    path = TARGET / "universal_credit_places.parquet"
    lookup[columns].to_parquet(path, index=False, compression="zstd")
    treated = lookup[lookup["use"] == "full service"]
    starts = [f"{months[key(name)][0]}-01" for name in treated["authority"]]
    made = pd.DataFrame(
        {"area_code": treated["area_code"], "neighbourhood": treated["authority"], "start_date": starts}
    )
    made.to_csv(TARGET / "universal_credit_areas.csv", index=False, lineterminator="\n")
    sys.stdout.write(f"{lookup['use'].value_counts().to_string()}\n")


def _is_treated(named: list[str]) -> bool:
    return len(named) == 1 and TREATED[0] <= named[0] <= TREATED[1]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

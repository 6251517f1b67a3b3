"""One study that has everything the mission names, evaluated once for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import tomlkit

from areaeffect.commands.evaluate import evaluate_into
from areaeffect.results import Finding, Result
from areaeffect.simulate import CountySpec, ProgrammeSpec, simulate_county, write_county

RESIDENTS, COUNCIL = "Residents First", "Council Partnership"
FELL = {
    "crime": -0.12, "antisocial_behaviour": -0.3, "criminal_damage": -0.2,
    "empty_homes": -0.25, "environment_score": 6.0,
}  # fmt: skip
COUNTY = CountySpec(
    n_areas=250,
    seed=7,
    first_month="2014-01",
    last_month="2019-12",
    gap_months=None,
    programmes=tuple(
        ProgrammeSpec(
            name=name, resident_led=led, n_neighbourhoods=n, starts=("2017-01-01",), sizes=(2, 3),
            effects=effects,
        )
        for name, led, n, effects in ((RESIDENTS, True, 5, FELL), (COUNCIL, False, 4, {}))
    ),
)  # fmt: skip
#: The study's own price of a crime, in pounds of 2016.
COST, FUNDING = 1500.0, 100_000
COSTS = f"""item,category,label,value,low,high,currency,price_year,status,source
crime,any,a recorded crime,{COST},,,GBP,2016,own,accounts of the county council
"""
DEPRIVED = "Most deprived neighbourhoods"
#: Of the county's areas, this many (the last by code) are in a third initiative.
N_OTHER = 12


@dataclass(frozen=True, slots=True)
class Mission:
    """The study, its results folder, and what is known of it beside.

    Parameters
    ----------
    study : the study file.
    out : the results folder.
    result : what was written there.
    others : areas of the third initiative.
    deprived : the neighbourhoods of the named group.
    """

    study: Path
    out: Path
    result: Result
    others: frozenset[str]
    deprived: frozenset[str]

    def find(self, group: str, outcome: str) -> Finding:
        """Return the finding of a group as a whole that the report leads with."""
        made = [
            f for f in self.result.findings
            if (f.group, f.outcome) == (group, outcome) and f.neighbourhood is None
        ]  # fmt: skip
        return next(f for f in made if f.form == "ratio" or len(made) == 1)


@pytest.fixture(scope="session")
def mission(tmp_path_factory: pytest.TempPathFactory) -> Mission:
    folder = tmp_path_factory.mktemp("mission")
    county = simulate_county(COUNTY)
    study = write_county(county, folder)
    document = tomlkit.parse(study.read_text(encoding="utf-8"))

    for outcome in list(document["outcome"]):
        level = tomlkit.table()
        level.update({**outcome.unwrap(), "name": f"{outcome['name']}_level", "claim": "level"})
        level.pop("accept_breaks", None)
        level.pop("valued_as", None)
        document["outcome"].append(level)
        if outcome["name"] != "crime":
            outcome.pop("valued_as", None)

    treated = set(county.membership["area_code"])
    others = [c for c in county.areas["area_code"] if c not in treated][-N_OTHER:]
    others_table = pd.DataFrame({"area_code": others, "programme": "Wardens", "start_date": "2015"})
    others_table.to_csv(folder / "others.csv", index=False)
    document["register"]["others"] = ["others.csv"]

    members = county.membership.merge(county.areas, on="area_code")
    score = members.groupby("neighbourhood")["deprivation"].mean()
    score.rename("deprivation").to_csv(folder / "deprivation.csv")
    cut = float(score.quantile(0.6))
    for initiative in document["initiative"]:
        initiative["attributes"] = "deprivation.csv"
    document["group"] = [{"name": DEPRIVED, "where": [{"deprivation": {"at_least": cut}}]}]

    (folder / "costs.csv").write_text(COSTS, encoding="utf-8")
    document["value"] = {
        "price_year": "2016", "discount_rate": 0.0, "costs": "costs.csv", "funding_prices": "2016",
        "mix": {"all_crime": {"crime": 1.0}}, "funding": {RESIDENTS: FUNDING},
    }  # fmt: skip
    document["analysis"]["placebos"] = 39
    study.write_text(tomlkit.dumps(document), encoding="utf-8")

    out = folder / "runs" / "county"
    result = evaluate_into(study, out, threads=1)
    return Mission(study, out, result, frozenset(others), frozenset(score.index[score >= cut].tolist()))

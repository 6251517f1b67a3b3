"""The files of a simulated county: an analyst's data, a study file, and the truth."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from areaeffect.errors import Problem, StudyError
from areaeffect.simulate.cells import DECIMALS
from areaeffect.simulate.county import County
from areaeffect.simulate.voices import write_voices

SIGNIFICANT_DIGITS = 12

STUDY_HEAD = """\
# This county is made up: its places and people do not exist. Its effects are known (truth.json),
# so that one can see whether an evaluation finds them.

[study]
title = "A simulated county (made up, with known effects)"
question = "Did places with a neighbourhood-based initiative do better than they would have done?"
window = {{ start = "{first_month}", end = "{last_month}" }}
seed = {seed}

[source.crime]
kind = "panel"
path = "crime_monthly.parquet"
area = "area_code"
period = "month"
# a force-month far under its own trailing median is a gap, not a fall
coverage_group = "police_force"
boundaries = "boundaries.geojson"

[source.indicators]
kind = "panel"
path = "indicators_yearly.csv"
area = "area_code"
period = "year"

[source.areas]
kind = "panel"
path = "areas.csv"
area = "area_code"
# no period: one row an area
"""

STUDY_INITIATIVE = """\

[[initiative]]
name = "{name}"
areas = "{path}"
resident_led = {resident_led}
"""

STUDY_TAIL = """\

[register]
buffer_km = 0.0    # a county this small has no room for one; here nothing spills over

[design]
unit = "neighbourhood"
covariates = [
    "areas.population",
    { column = "areas.deprivation", as_of = "2011" },
    { column = "areas.share_renting", as_of = "2011" },
]
history = "12-month blocks"
nearest = 60

[[outcome]]
name = "crime"
family = "crime"
label = "recorded crime"
source = "crime"
value = "crime"
unit = "crimes"
exposure = "areas.population"
claim = "change"
better = "lower"
smallest_effect_of_interest = 0.05
valued_as = "all_crime"

[[outcome]]
name = "antisocial_behaviour"
family = "antisocial_behaviour"
label = "anti-social behaviour"
source = "crime"
value = "antisocial_behaviour"
unit = "incidents"
exposure = "areas.population"
claim = "change"
better = "lower"
smallest_effect_of_interest = 0.05
valued_as = "antisocial_behaviour"    # no unit cost is known: the report says so

[[outcome]]
name = "criminal_damage"
family = "criminal_damage"
label = "criminal damage"
source = "crime"
value = "criminal_damage"
unit = "crimes"
exposure = "areas.population"
claim = "change"
better = "lower"
smallest_effect_of_interest = 0.05

[[outcome]]
name = "environment_score"
family = "environment"
label = "environment score"
source = "indicators"
value = "environment_score"
kind = "score"
unit = "points"
claim = "change"
better = "higher"
smallest_effect_of_interest = 1.0

[[outcome]]
name = "empty_homes"
family = "empty_homes"
label = "empty homes"
source = "indicators"
value = "empty_homes"
unit = "empty homes"
exposure = "areas.dwellings"
claim = "change"
accept_breaks = ["2013-04"]   # real counts changed their meaning then; made-up ones did not
better = "lower"
smallest_effect_of_interest = 0.05

[[outcome]]
name = "social_relationships"
family = "social_relationships"
label = "people who say neighbours pull together"
source = "indicators"
value = "social_relationships"
kind = "score"
unit = "percentage points"
claim = "change"
better = "higher"
smallest_effect_of_interest = 1.0

[analysis]
placebos = 499
"""

STUDY_VALUE = """\

[value]
price_year = "2024"
discount_rate = 0.035
cost_range = 0.2    # an assumption: no range is published with the unit costs
funding_prices = "2016/17"

# the places are made up, and so is their mix of crimes
[value.mix.all_crime]
violence_with_injury = 0.05
violence_without_injury = 0.15
robbery = 0.02
domestic_burglary = 0.06
theft_of_vehicle = 0.02
theft_from_vehicle = 0.06
theft_from_person = 0.02
arson = 0.01
other_criminal_damage = 0.14
not_valued = 0.47

[value.funding]
"""
#: What a made-up neighbourhood costs, in pounds.
FUNDING_EACH = 400_000


def write_county(county: County, folder: Path, *, voices: bool = True) -> Path:
    """Write a county as the files of a study; the same county gives the same bytes.

    Parameters
    ----------
    county : County
        The county; it needs at least one initiative, as every study does.
    folder : Path
        Where to write; made where it does not exist.
    voices : bool
        Whether a survey of residents, events and stories go with it.

    Returns
    -------
    Path
        The study file, `study.toml`.
    """
    if not county.spec.programmes:
        problem = Problem(
            "a study needs an initiative, and this county has none.",
            "county",
            "Add a ProgrammeSpec.",
        )
        raise StudyError(problem)
    folder.mkdir(parents=True, exist_ok=True)
    write_crime(county, folder / "crime_monthly.parquet")
    write_indicators(county, folder / "indicators_yearly.csv")
    _write_csv(county.areas, folder / "areas.csv")
    write_boundaries(county, folder / "boundaries.geojson")
    for programme in county.spec.programmes:
        members = county.membership[county.membership["initiative"] == programme.name]
        # as TOML writes it, not as Python does
        members = members.assign(resident_led=str(programme.resident_led).lower())
        _write_csv(members, folder / initiative_file(programme.name))
    _write_text(
        folder / "truth.json",
        json.dumps(_rounded(county.truth.to_dict()), indent=2, ensure_ascii=False) + "\n",
    )
    study = folder / "study.toml"
    _write_text(study, study_text(county) + (write_voices(county, folder) if voices else ""))
    return study


def initiative_file(name: str) -> str:
    """File name of an initiative's areas: 'Residents First' is residents_first.csv."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") + ".csv"


def study_text(county: County) -> str:
    """Text of the study file."""
    spec = county.spec
    head = STUDY_HEAD.format(
        first_month=spec.first_month, last_month=spec.last_month, seed=spec.seed
    )
    initiatives = [
        STUDY_INITIATIVE.format(
            name=programme.name,
            path=initiative_file(programme.name),
            resident_led=str(programme.resident_led).lower(),
        )
        for programme in spec.programmes
    ]
    funding = [f'"{p.name}" = {FUNDING_EACH * p.n_neighbourhoods}\n' for p in spec.programmes]
    return head + "".join(initiatives) + STUDY_TAIL + STUDY_VALUE + "".join(funding)


def write_base(county: County, folder: Path) -> Path:
    """Write a base study of a county beside its files: what `areaeffect tiles` makes an atlas of.

    Parameters
    ----------
    county : County
        A county that `write_county` has written.
    folder : Path
        Where it was written.

    Returns
    -------
    Path
        The base study, `base.toml`; its initiatives are other initiatives there.
    """
    spec = county.spec
    head = STUDY_HEAD.format(
        first_month=spec.first_month, last_month=spec.last_month, seed=spec.seed
    )
    files = ", ".join(f'"{initiative_file(p.name)}"' for p in spec.programmes)
    lines = STUDY_TAIL.splitlines(keepends=True)  # an atlas has no [value] of its own
    tail = "".join(line for line in lines if not line.startswith("valued_as"))
    tail = tail.replace("[register]\n", f"[register]\nothers = [{files}]\n")
    places = county.areas.rename(
        columns={"area_name": "name", "district": "authority", "police_force": "force"}
    )[["area_code", "name", "authority", "force"]]
    places.insert(2, "ward", places["name"].str.rsplit(" ", n=1).str[0])
    _write_csv(places, folder / "places.csv")
    layer = '{ column = "areas.deprivation", label = "deprivation", unit = "points" }'
    atlas = f'\n[atlas]\nplaces = "places.csv"\nlayers = [{layer}]\n'
    _write_text(folder / "base.toml", head + tail + atlas)
    return folder / "base.toml"


def write_crime(county: County, path: Path) -> None:
    """Write the monthly counts, one row an area and month, sorted by both, none left out."""
    n_areas, n_months = len(county.areas), len(county.months)
    columns = {
        "area_code": pa.array(
            np.repeat(county.areas["area_code"].to_numpy(dtype=object), n_months), pa.string()
        ),
        "police_force": pa.array(
            np.repeat(county.areas["police_force"].to_numpy(dtype=object), n_months), pa.string()
        ),
        "month": pa.array(np.tile(np.array(county.months, dtype=object), n_areas), pa.string()),
    }
    for name, count in county.counts.items():
        columns[name] = pa.array(count.astype(np.int32).ravel())
    # built without pandas: its metadata would put library versions into the file
    pq.write_table(pa.table(columns), path, compression="zstd")


def write_indicators(county: County, path: Path) -> None:
    """Write the yearly indicators, one row an area and year, sorted by both."""
    n_areas, n_years = len(county.areas), len(county.years)
    keys = {
        "area_code": np.repeat(county.areas["area_code"].to_numpy(dtype=object), n_years),
        "year": np.tile(np.array(county.years, dtype=object), n_areas),
    }
    _write_csv(
        pd.DataFrame(keys | {name: values.ravel() for name, values in county.indicators.items()}),
        path,
    )


def write_boundaries(county: County, path: Path) -> None:
    """Write GeoJSON, a feature a line; exterior rings are counter-clockwise (RFC 7946)."""
    features = []
    for code, name, polygon in zip(
        county.polygons["area_code"],
        county.polygons["area_name"],
        county.polygons.geometry,
        strict=True,
    ):
        rings = [polygon.exterior, *polygon.interiors]
        coordinates = [shapely.get_coordinates(ring).round(DECIMALS).tolist() for ring in rings]
        feature = {
            "type": "Feature",
            "properties": {"area_code": code, "area_name": name},
            "geometry": {"type": "Polygon", "coordinates": coordinates},
        }
        features.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
    _write_text(
        path, '{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n"
    )


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table with line feeds on every platform."""
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def _write_text(path: Path, text: str) -> None:
    """Write UTF-8 with line feeds on every platform."""
    path.write_bytes(text.encode("utf-8"))


def _rounded(value: object) -> object:
    """Round numbers in nested dictionaries to 12 digits: last bits differ between platforms."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value

"""The files of a simulated county: an analyst's data, a study file, and the truth."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

import numpy as np
import pandas as pd
import tomlkit

from areaeffect.errors import StudyError
from areaeffect.simulate.county import County
from areaeffect.simulate.grid import DECIMALS, FloatArray, IntArray
from areaeffect.streams import Use, generator
from areaeffect.tables.parquet import write_columns

SIGNIFICANT_DIGITS = 12
FUNDING_EACH = 400_000
"""What a made-up neighbourhood costs, in pounds."""
_DONE = {
    True: "Residents chose what to change where they live (made up).",
    False: "The council and its partners chose what to change (made up).",
}

STORIES = (
    (
        "The field behind the shops",
        ("places are cared for", "neighbours know each other"),
        True,
        "We started with one bench. Then someone brought a mower.\n\n"
        "Now there is a rota, and people who never spoke to each other are on it.",
    ),
    (
        "Walking home",
        ("people feel safe",),
        True,
        "My daughter walks home from the late bus now. I still wait at the window.",
    ),
    ("Not for printing", ("people feel safe",), False, "This one was given in confidence."),
)


def write_county(county: County, folder: Path, *, voices: bool = True) -> Path:
    """Write a county as the files of a study; the same county gives the same bytes.

    Parameters
    ----------
    county : with at least one initiative, as every study has.
    folder : where to write; made where it does not exist.
    voices : whether a survey of residents, events and stories go with it.

    Returns
    -------
    The study file, `study.toml`.
    """
    if not county.spec.programmes:
        what = "a study needs an initiative, and this county has none."
        raise StudyError(what, "county", "Add a ProgrammeSpec.")
    folder.mkdir(parents=True, exist_ok=True)
    _write_crime(county, folder / "crime_monthly.parquet")
    _write_indicators(county, folder / "indicators_yearly.csv")
    _write_csv(county.areas, folder / "areas.csv")
    _write_boundaries(county, folder / "boundaries.geojson")
    for programme in county.spec.programmes:
        members = county.membership[county.membership["initiative"] == programme.name]
        # as TOML writes it, not as Python does
        members = members.assign(resident_led=str(programme.resident_led).lower())
        _write_csv(members, folder / _areas_file(programme.name))
    truth = {**county.truth.initiatives, "neighbourhoods": county.truth.neighbourhoods}
    text = json.dumps(_rounded(truth), indent=2, ensure_ascii=False)
    _write_text(folder / "truth.json", text + "\n")
    _write_text(folder / "unit_costs.csv", _packaged("unit_costs.csv"))
    study = folder / "study.toml"
    _write_text(study, _study_text(county) + (_write_voices(county, folder) if voices else ""))
    return study


def write_base(county: County, folder: Path) -> Path:
    """Write a base study of a county beside its files: what `areaeffect tiles` makes an atlas of.

    Parameters
    ----------
    county : as `write_county` has written it.
    folder : where it was written.

    Returns
    -------
    The base study, `base.toml`; its initiatives are other initiatives there.
    """
    base = tomlkit.parse(_study_text(county))
    for key in ("initiative", "value"):
        base.remove(key)
    for outcome in base["outcome"]:
        outcome.pop("valued_as", None)
    base["register"]["others"] = [_areas_file(p.name) for p in county.spec.programmes]
    layer = {"column": "areas.deprivation", "label": "deprivation", "unit": "points", "better": "lower"}
    base["atlas"] = {"places": "places.csv", "layers": [layer], "made_up": True}
    places = county.areas[["area_code", "area_name", "district", "police_force"]]
    places = places.set_axis(["area_code", "name", "authority", "force"], axis=1)
    places.insert(2, "ward", places["name"].str.rsplit(" ", n=1).str[0])
    _write_csv(places, folder / "places.csv")
    _write_text(folder / "base.toml", tomlkit.dumps(base))
    return folder / "base.toml"


def _areas_file(name: str) -> str:
    """File name of an initiative's areas: 'Residents First' is residents_first.csv."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") + ".csv"


def _study_text(county: County) -> str:
    spec = county.spec
    initiatives = tomlkit.aot()
    for p in spec.programmes:
        row = {
            "name": p.name, "description": _DONE[p.resident_led], "areas": _areas_file(p.name),
            "resident_led": p.resident_led,
        }  # fmt: skip
        initiatives.append(tomlkit.item(row))
    funding = {p.name: FUNDING_EACH * p.n_neighbourhoods for p in spec.programmes}
    return _template("county.toml").substitute(
        first_month=spec.first_month,
        last_month=spec.last_month,
        seed=spec.seed,
        initiatives="\n" + tomlkit.dumps({"initiative": initiatives}),
        funding=tomlkit.dumps(funding),
    )


def _template(name: str) -> Template:
    return Template(_packaged(name))


def _packaged(name: str) -> str:
    return (files("areaeffect.simulate") / name).read_text("utf-8")


def _write_voices(county: County, folder: Path) -> str:
    """Write survey, events and stories; return their part of the study file."""
    survey = survey_of(county)
    _write_csv(survey.answers, folder / "survey.csv")
    places = county.membership.drop_duplicates("neighbourhood")
    some = places.iloc[:3]
    events = pd.DataFrame(
        {
            "date": [*some["start_date"], county.years[-4]],
            "neighbourhood": [*some["neighbourhood"], ""],
            "what": ["the partnership held its first meeting"] * len(some)
            + ["all partnerships met in the county hall"],
        }
    )
    _write_csv(events, folder / "events.csv")
    (folder / "stories").mkdir(exist_ok=True)
    for i, (title, themes, consent, text) in enumerate(STORIES):
        front = {
            "title": title,
            "place": str(places["neighbourhood"].iloc[i % len(places)]),
            "date": county.years[-2],
            "themes": list(themes),
            "consent": consent,
        }
        story = f"+++\n{tomlkit.dumps(front)}+++\n{text}\n"
        _write_text(folder / "stories" / f"{i + 1}.md", story)
    before, after = survey.waves
    return _template("voices.toml").substitute(before=before, after=after)


def _write_crime(county: County, path: Path) -> None:
    """Write the monthly counts, one row an area and month, sorted by both, none left out."""
    n_areas, n_months = len(county.areas), len(county.months)
    keys = {
        name: np.repeat(county.areas[name].to_numpy(dtype=object), n_months)
        for name in ("area_code", "police_force")
    }
    counts = {name: count.astype(np.int32).ravel() for name, count in county.counts.items()}
    write_columns(path, keys | {"month": list(county.months) * n_areas} | counts)


def _write_indicators(county: County, path: Path) -> None:
    """Write the yearly indicators, one row an area and year, sorted by both."""
    keys = {
        "area_code": np.repeat(county.areas["area_code"].to_numpy(dtype=object), len(county.years)),
        "year": list(county.years) * len(county.areas),
    }
    values = {name: values.ravel() for name, values in county.indicators.items()}
    _write_csv(pd.DataFrame(keys | values), path)


def _write_boundaries(county: County, path: Path) -> None:
    """Write GeoJSON, a feature a line; rings are counter-clockwise (RFC 7946)."""
    import shapely

    features = []
    for code, name, polygon in county.polygons.itertuples(index=False):
        ring = shapely.get_coordinates(polygon).round(DECIMALS).tolist()
        feature = {
            "type": "Feature",
            "properties": {"area_code": code, "area_name": name},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        features.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
    _write_text(path, '{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n")


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table with line feeds on every platform."""
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def _write_text(path: Path, text: str) -> None:
    """Write UTF-8 with line feeds on every platform."""
    path.write_bytes(text.encode("utf-8"))


def _rounded(value: object) -> object:
    """Round numbers in nested mappings to 12 digits: last bits differ between platforms."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value


ITEMS = ("trust_neighbours", "help_each_other", "belong_here")
ONE_IN = 8  # residents that the finite population holds
BENCHMARK_AREAS = 400  # asked besides the treated ones
ASKED = (12, 6)  # people an area: treated, other
PERSON_SD, ITEM_SD = 16.0, 10.0  # points
NO_ANSWER = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedSurvey:
    """A survey in two waves, and the truth."""

    waves: tuple[str, str]  # the year before the first start, and the last year
    #: one row a respondent: area_code, wave, weight and the items, from 0 to 10; three in a hundred answers
    #: are missing.
    answers: pd.DataFrame
    #: one row an area and wave: area_code, wave, people, and the mean of everybody's scale score from 0 to
    #: 100
    truth: pd.DataFrame


def survey_of(county: County) -> SimulatedSurvey:
    """Ask the residents of a county in the year before the first start, and in its last year.

    An area's people answer about its `social_relationships` indicator of that year.
    """
    rng = generator(Use.COUNTY_SURVEY, county.spec.seed)
    first = min(str(start)[:4] for start in county.membership["start_date"])
    waves = (str(int(first) - 1), county.years[-1])
    people = county.areas["population"].to_numpy(dtype=np.int64) // ONE_IN
    treated = county.areas["area_code"].isin(county.membership["area_code"]).to_numpy()
    others = np.flatnonzero(~treated)
    asked = np.zeros(len(people), dtype=np.int64)
    asked[rng.choice(others, min(BENCHMARK_AREAS, len(others)), replace=False)] = ASKED[1]
    asked[treated] = ASKED[0]
    social = county.indicators["social_relationships"].astype(np.float64)
    drawn = []
    for wave in waves:
        answers, means = _wave(rng, social[:, county.years.index(wave)], people, asked)
        codes = county.areas["area_code"].to_numpy(dtype=object)
        answers.insert(0, "area_code", codes[answers.pop("area")])
        answers.insert(1, "wave", wave)
        truth = pd.DataFrame({"area_code": codes, "wave": wave, "people": people, "mean": means})
        drawn.append((answers, truth))
    tables = [pd.concat(parts, ignore_index=True) for parts in zip(*drawn, strict=True)]
    return SimulatedSurvey(waves, *tables)


def _wave(
    rng: np.random.Generator, level: FloatArray, people: IntArray, asked: IntArray
) -> tuple[pd.DataFrame, FloatArray]:
    """Draw everybody of one wave, then ask some of them; the truth is everybody's mean."""
    area = np.repeat(np.arange(len(people)), people)
    person = level[area] + PERSON_SD * rng.standard_normal(len(area))
    latent = person[:, None] + ITEM_SD * rng.standard_normal((len(area), len(ITEMS)))
    items = np.clip(latent / 10, 0, 10).round(1)
    truth = np.bincount(area, 10 * items.mean(axis=1)) / people
    order = np.lexsort((rng.random(len(area)), area))
    rank = np.arange(len(area)) - np.repeat(np.cumsum(people) - people, people)
    chosen = order[rank < asked[area]]
    where = area[chosen]
    answered = np.where(rng.random((len(chosen), len(ITEMS))) < NO_ANSWER, np.nan, items[chosen])
    weight = (people[where] / np.minimum(asked, people)[where]).round(4)
    return pd.DataFrame({"area": where, "weight": weight} | dict(zip(ITEMS, answered.T, strict=True))), truth

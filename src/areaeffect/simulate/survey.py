"""A made-up survey of residents: a finite population with a known mean, and a sample of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from areaeffect.streams import Use, generator

if TYPE_CHECKING:
    from areaeffect.simulate.county import County
    from areaeffect.simulate.noise import FloatArray

ITEMS = ("trust_neighbours", "help_each_other", "belong_here")
TENURES = ("owns", "rents privately", "rents socially")
AGES = ("16-34", "35-64", "65 and over")
ONE_IN = 8  # residents that the finite population holds
BENCHMARK_AREAS = 400  # asked besides the treated ones
ASKED = (12, 6)  # people an area: treated, other
TENURE_GAP = np.array([4.0, -3.0, -5.0])  # points
AGE_GAP = np.array([-4.0, 0.0, 5.0])
PERSON_SD, ITEM_SD = 16.0, 10.0


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedSurvey:
    """A survey in two waves, with its census cells and the truth.

    Parameters
    ----------
    answers : DataFrame, one row a respondent: area_code, wave, weight, tenure, age and the items,
        from 0 to 10; three in a hundred answers are missing.
    cells : DataFrame, one row an area and cell: area_code, tenure, age, people.
    truth : DataFrame, one row an area and wave: area_code, wave, mean of everybody's scale score.
    """

    answers: pd.DataFrame
    cells: pd.DataFrame
    truth: pd.DataFrame


def survey_of(county: County) -> SimulatedSurvey:
    """Ask the residents of a county in the year before the first start, and in its last year.

    An area's people answer about its `social_relationships` indicator of that year.
    """
    first = min(str(start)[:4] for start in county.membership["start_date"])
    waves = (str(int(first) - 1), county.years[-1])
    social = county.indicators["social_relationships"]
    level = pd.DataFrame({wave: social[:, county.years.index(wave)] for wave in waves})
    treated = county.areas["area_code"].isin(county.membership["area_code"]).to_numpy()
    rng = generator(Use.COUNTY_SURVEY, county.spec.seed)
    return draw_survey(rng, county.areas, treated.astype(np.float64), level)


def draw_survey(
    rng: np.random.Generator, areas: pd.DataFrame, treated: FloatArray, level: pd.DataFrame
) -> SimulatedSurvey:
    """Draw everybody, then ask some of them.

    Parameters
    ----------
    rng : the generator.
    areas : area_code, population and share_renting of every area.
    treated : (n_areas,), 1 in treated areas.
    level : (n_areas, two waves), mean of the scale in each area, columns named by wave.
    """
    size = (areas["population"].to_numpy() // ONE_IN).astype(np.int64)
    renting = areas["share_renting"].to_numpy(dtype=np.float64) / 100
    cells = _cells(rng, size, renting)
    others = np.flatnonzero(treated == 0)
    asked_areas = np.zeros(len(size), dtype=np.int64)
    asked_areas[rng.choice(others, min(BENCHMARK_AREAS, len(others)), replace=False)] = ASKED[1]
    asked_areas[treated == 1] = ASKED[0]
    codes = areas["area_code"].to_numpy(dtype=object)
    waves = [
        _wave(rng, name, codes, cells, asked_areas, level[name].to_numpy(dtype=np.float64))
        for name in level.columns
    ]
    tenure, age = np.divmod(np.arange(cells.shape[1]), len(AGES))
    census = pd.DataFrame(
        {
            "area_code": np.repeat(codes, cells.shape[1]),
            "tenure": np.tile(np.array(TENURES, dtype=object)[tenure], len(codes)),
            "age": np.tile(np.array(AGES, dtype=object)[age], len(codes)),
            "people": cells.ravel(),
        }
    )
    answers, truth = (pd.concat(parts, ignore_index=True) for parts in zip(*waves, strict=True))
    return SimulatedSurvey(answers, census, truth)


def _cells(rng: np.random.Generator, size: np.ndarray, renting: FloatArray) -> np.ndarray:
    """Draw how many people of each tenure and age live in each area: (n_areas, 9)."""
    social = np.clip(0.5 + 0.15 * rng.standard_normal(len(size)), 0.1, 0.9)
    tenure = np.column_stack([1 - renting, renting * (1 - social), renting * social])
    old = np.clip(0.2 + 0.06 * rng.standard_normal(len(size)), 0.05, 0.5)
    age = np.column_stack([0.3 * np.ones(len(size)), 0.7 - old, old])
    shares = (tenure[:, :, None] * age[:, None, :]).reshape(len(size), -1)
    return np.array([rng.multinomial(n, p) for n, p in zip(size, shares, strict=True)])


def _wave(
    rng: np.random.Generator,
    name: str,
    codes: np.ndarray,
    cells: np.ndarray,
    asked_areas: np.ndarray,
    level: FloatArray,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw one wave's population, its truth, and who is asked."""
    n_areas, n_cells = cells.shape
    area = np.repeat(np.arange(n_areas), cells.sum(axis=1))
    cell = np.concatenate([np.repeat(np.arange(n_cells), row) for row in cells])
    tenure, age = np.divmod(cell, len(AGES))
    person = level[area] + TENURE_GAP[tenure] + AGE_GAP[age]
    person = person + PERSON_SD * rng.standard_normal(len(area))
    latent = person[:, None] + ITEM_SD * rng.standard_normal((len(area), len(ITEMS)))
    items = np.clip(latent / 10, 0, 10).round(1)
    score = 10 * items.mean(axis=1)
    people = np.bincount(area, minlength=n_areas)
    truth = pd.DataFrame(
        {"area_code": codes, "wave": name, "mean": np.bincount(area, score, n_areas) / people}
    )
    order = np.lexsort((rng.random(len(area)), area))
    rank = np.arange(len(area)) - np.repeat(np.cumsum(people) - people, people)
    asked = order[rank < asked_areas[area]]
    answered = np.where(rng.random((len(asked), len(ITEMS))) < 0.03, np.nan, items[asked])  # noqa: PLR2004
    weight = people[area[asked]] / np.minimum(asked_areas, people)[area[asked]]
    rows = {
        "area_code": codes[area[asked]],
        "wave": name,
        "weight": weight.round(4),
        "tenure": np.array(TENURES, dtype=object)[tenure[asked]],
        "age": np.array(AGES, dtype=object)[age[asked]],
    }
    items_asked = dict(zip(ITEMS, answered.T, strict=True))
    return pd.DataFrame(rows | items_asked), truth

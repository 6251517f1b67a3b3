"""A made-up survey of residents: a finite population with a known mean, and a sample of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from areaeffect.streams import Use, generator

if TYPE_CHECKING:
    from areaeffect.simulate.county import County
    from areaeffect.simulate.noise import FloatArray, IntArray

ITEMS = ("trust_neighbours", "help_each_other", "belong_here")
ONE_IN = 8  # residents that the finite population holds
BENCHMARK_AREAS = 400  # asked besides the treated ones
ASKED = (12, 6)  # people an area: treated, other
PERSON_SD, ITEM_SD = 16.0, 10.0  # points
NO_ANSWER = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedSurvey:
    """A survey in two waves, and the truth.

    Parameters
    ----------
    waves : the year before the first start, and the last year.
    answers : one row a respondent: area_code, wave, weight and the items, from 0 to 10; three in
        a hundred answers are missing.
    truth : one row an area and wave: area_code, wave, people, and the mean of everybody's scale
        score from 0 to 100.
    """

    waves: tuple[str, str]
    answers: pd.DataFrame
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
    return pd.DataFrame(
        {"area": where, "weight": weight} | dict(zip(ITEMS, answered.T, strict=True))
    ), truth

"""Means before any matching, beside others of the same mix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.further.plain_means import same_mix
from tests.shared.small_study import NEIGHBOURHOODS, edit, edit_table, write_small_study


def test_the_others_have_the_treated_areas_mix_by_hand() -> None:
    values = np.array([1.0, 2.0, 3.0, 10.0, 20.0, 30.0, np.nan, 99.0])
    classes = np.array(["1", "1", "2", "1", "1", "2", "2", ""])
    treated = np.array([1, 1, 1, 0, 0, 0, 0, 0], dtype=np.bool_)
    found = same_mix(values, classes, treated)
    assert found.treated == 2.0
    assert found.others == pytest.approx((2 * 15 + 30) / 3)
    assert (found.n_treated, found.n_others, found.without_class) == (3, 3, 0)


def test_a_class_without_others_has_no_mean() -> None:
    treated = np.array([True, False])
    found = same_mix(np.array([1.0, 2.0]), np.array(["1", "2"]), treated)
    assert found.treated == 1.0
    assert found.others is None
    none = same_mix(np.array([1.0, 2.0]), np.array(["", "2"]), treated)
    assert none.treated is None
    assert none.without_class == 1


def test_a_study_prints_the_means_it_is_asked_for(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    band = lambda t: (t.deprivation.astype(float) > 20).astype(int).astype(str)  # noqa: E731
    edit_table(tmp_path / "areas.csv", lambda t: t.assign(band=band(t)))
    edit(study, "exposure =", 'claim = "level"\nexposure =')
    with study.open("a") as file:
        file.write('[plain_means]\nby = "areas.band"\nlabel = "bands"\nalso = ["areas.deprivation"]\n')
    annex = evaluate(study, threads=1).annex("plain_means")
    assert annex is not None
    rate, deprivation = annex.table("plain_means").records()
    areas, crime = pd.read_csv(tmp_path / "areas.csv"), pd.read_csv(tmp_path / "crime.csv")
    last = crime[crime.month >= "2013-01"].groupby("area_code").n.sum()
    table = areas.set_index("area_code").assign(n=last)
    mine = np.zeros(len(table), dtype=bool)
    mine[[i for pair in NEIGHBOURHOODS.values() for i in pair]] = True
    rates = 1000 * table.n / table.population
    assert rate["mean"] == pytest.approx(rates[mine].mean())
    others = rates[~mine].groupby(table.band[~mine]).mean()
    mix = table.band[mine].value_counts(normalize=True)
    assert rate["mean_of_others"] == pytest.approx((others * mix).sum())
    assert deprivation["mean"] == pytest.approx(table.deprivation[mine].mean())
    assert (rate["areas"], rate["without_class"]) == (6, 0)

"""Benefits by MSOA as outcomes: the exports of Stat-Xplore, by name, into a report."""

from __future__ import annotations

import pytest

from areaeffect.commands.evaluate import evaluate_into
from areaeffect.report.files import read_result
from areaeffect.study.parts import SHARED_DATA_VARIABLE

STUDY = """
[study]
title = "Benefits by MSOA"
window = { start = "START", end = "END" }
seed = 4

[source.benefits]
kind = "published"
release = "RELEASE"

[[initiative]]
name = "Made up"
areas = "areas.csv"
resident_led = false

[register]
buffer_km = 0.0

[[outcome]]
name = "claims"
family = "other"
source = "benefits"
value = "COLUMN"
claim = "change"

[analysis]
placebos = 39
"""
#: Three MSOAs of County Durham and Leeds.
AREAS = "area_code,neighbourhood,start_date\nE02004298,A,{0}\nE02004299,A,{0}\nE02002330,B,{0}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("release", "column", "start", "end", "begins"),
    [
        ("universal_credit_households", "households", "2019-01", "2022-12", "2021-01-01"),
        ("children_low_income", "children", "2014", "2021", "2018"),
    ],
)
def test_a_release_of_msoas_is_an_outcome_by_name(
    real_data, tmp_path, monkeypatch, *, release, column, start, end, begins
):
    monkeypatch.setenv(SHARED_DATA_VARIABLE, str(real_data))
    text = STUDY.replace("START", start).replace("END", end)
    text = text.replace("RELEASE", release).replace("COLUMN", column)
    (tmp_path / "study.toml").write_text(text)
    (tmp_path / "areas.csv").write_text(AREAS.format(begins))
    evaluate_into(tmp_path / "study.toml", tmp_path / "out", 1)
    result = read_result(tmp_path / "out")
    assert result.findings[0].estimate is not None
    assert {r.source for r in result.releases} >= {"benefits"}

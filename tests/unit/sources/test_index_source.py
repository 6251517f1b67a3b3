from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from areaeffect.assembly.assemble import assemble
from areaeffect.errors import AreaEffectError
from areaeffect.index.source import circular, index_described_at
from areaeffect.study.file import read_study
from areaeffect.study.index import read_index
from areaeffect.study.model import IndexSource
from tests.shared.small_study import CODES, edit, write_small_study

INDEX = """\
[index]
title = "Need"
as_of = "2011-06"

[[indicator]]
name = "poor"
path = "areas.csv"
column = "deprivation"
worse = "high"

[[indicator]]
name = "crowded"
path = "areas.csv"
column = "population"
worse = "high"
"""
SOURCE = """
[source.need]
kind = "index"
path = "index.toml"

[[initiative]]"""
OUTCOME = """
[[outcome]]
name = "need"
family = "environment"
source = "need"
value = "score"
kind = "score"
claim = "level"

[analysis]"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = write_small_study(tmp_path)
    (tmp_path / "index.toml").write_text(INDEX, encoding="utf-8")
    edit(path, "\n[[initiative]]", SOURCE)
    return path


def as_outcome(study: Path) -> None:
    edit(study, "\n[analysis]", OUTCOME)
    edit(study.parent / "index.toml", '"2011-06"', '"2013-06"')


def notes(study: Path) -> str:
    return " ".join(circular("need", read_index(study.parent / "index.toml").index, read_study(study)))


def test_an_index_is_a_covariate_with_the_date_it_describes(study: Path) -> None:
    edit(study, '"areas.deprivation"]', '"need.score", "need.poor"]')
    panel = assemble(read_study(study)).panel
    assert panel.covariate_as_of[1:] == ("2011-06", "2011-06")
    poor = panel.covariates[:, 2]
    assert np.isfinite(poor).all()
    assert poor.max() == pytest.approx(100.0)


def test_an_index_is_the_outcome_of_a_level_claim(study: Path) -> None:
    as_outcome(study)
    measure = assemble(read_study(study)).panel.measures["need"]
    assert measure.periods.labels == ("2013-06",)
    assert measure.values.shape == (len(CODES), 1)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('claim = "level"\n', "", "claims a change of an index, which is of one date"),
        ('value = "score"', 'value = "rank"', "must be the index's score"),
        ('"areas.deprivation"', '"need.scores"', "Did you mean 'score'?"),
        ('start = "2012-01", end = "2013-12"', 'start = "1", end = "9"', "is no date in a study"),
    ],
)
def test_a_wrong_use_of_an_index_is_named(study: Path, old: str, new: str, words: str) -> None:
    as_outcome(study)
    edit(study, old, new)
    with pytest.raises(AreaEffectError, match=words.replace("?", r"\?")):
        assemble(read_study(study))


def test_an_outcome_needs_the_date_of_its_index(study: Path) -> None:
    as_outcome(study)
    edit(study.parent / "index.toml", 'as_of = "2013-06"\n', "")
    with pytest.raises(AreaEffectError, match="an index that is an outcome needs its date"):
        assemble(read_study(study))


def test_an_index_is_not_older_than_what_it_is_made_of(study: Path) -> None:
    index = study.parent / "index.toml"
    edit(index, 'path = "areas.csv"\ncolumn = "deprivation"', 'release = "imd_2025"\ncolumn = "x"')
    source = IndexSource(kind="index", path="index.toml")
    assert index_described_at(source, study.parent) == "2025-10"


def test_an_index_matched_on_its_own_parts_is_called_circular(study: Path) -> None:
    as_outcome(study)
    assert notes(study) == ""
    edit(study, '"areas.deprivation"]', '"need.poor"]')
    assert "Circular: 'need' is the index 'Need'" in notes(study)
    assert "(poor)" in notes(study)


def test_an_index_that_measures_the_outcome_s_family_is_called_circular(study: Path) -> None:
    edit(study, '"areas.deprivation"]', '"need.score"]')
    assert notes(study) == ""
    edit(study.parent / "index.toml", 'name = "poor"', 'name = "poor"\nfamily = "crime"')
    assert "holds 'crime' or a measure of its family (poor)" in notes(study)

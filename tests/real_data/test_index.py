"""The Index of Multiple Deprivation 2025, rebuilt from its seven published domain ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from areaeffect.commands.index import build_index
from areaeffect.index.composite import IndexResult
from areaeffect.sources.publishers.tables import read
from areaeffect.study.index import read_index

INDICES = Path(__file__).parents[2] / "indices"
#: Published scores have three decimals.
ROUNDING = 0.0005


def of_repository(name: str, data: Path, patch: pytest.MonkeyPatch) -> IndexResult:
    patch.setenv("AREAEFFECT_SHARED_DATA", str(data))
    return build_index(read_index(INDICES / f"{name}.toml"))


@pytest.fixture(scope="module")
def imd(real_data: Path) -> IndexResult:
    with pytest.MonkeyPatch.context() as patch:
        return of_repository("imd_2025", real_data, patch)


def test_the_published_score_comes_back_for_every_area(imd: IndexResult, real_data: Path) -> None:
    published = read("imd_2025", real_data, ["imd_score", "imd_rank"])
    assert (published.areas == imd.areas).all()
    assert len(imd.areas) == 33_755
    assert np.abs(imd.score - published.values["imd_score"][:, 0]).max() <= ROUNDING
    assert (imd.rank == published.values["imd_rank"][:, 0]).all()


def test_what_each_choice_does_to_it(imd: IndexResult) -> None:
    found = {(v.choice, v.alternative): v for v in imd.variants}
    assert len(found) == 24
    # ranks are ranked alike whether they are called z-scores or ranks
    z, rank = (found["standardisation", f"{m} for all"] for m in ("z-score", "rank"))
    assert z.left_worst == rank.left_worst
    assert all(v.correlation > 0.98 for v in imd.variants)
    assert all(v.worst == 3_375 for v in imd.variants)


def test_the_open_index_of_need_finds_places_left_behind(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = of_repository("community_need_open", real_data, monkeypatch)
    assert result.behind is not None
    assert "not the Community Needs Index" in result.title
    scored = np.isfinite(result.score)
    assert scored.sum() == 33_755
    assert not result.behind[~scored].any()
    assert 0 < result.behind.sum() <= 3_375
    (first,) = np.flatnonzero(result.rank == 1)
    assert (result.areas[first], result.names[first], result.council[first]) == (
        "E01020569", "Dorset 047B", "Dorset",
    )  # fmt: skip
    assert (result.council[scored] != "").all()
    assert len(result.shapes) == len(result.areas)

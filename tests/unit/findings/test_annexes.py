from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from areaeffect.document.blocks import Bullets, Data, Facts, Folded, Paragraph, Section
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.findings.case import Further
from areaeffect.records import Column, DataTable
from areaeffect.report import contents, faces, files
from areaeffect.results import Annex, Result
from tests.shared.sample_result import HOSTILE, sample_result

ROWS = (("a", 1.25, 3, True), (HOSTILE, None, None, False), ("=cmd", -0.5, 0, True))
TABLE = DataTable(
    "walks",
    "Walks",
    (
        Column("place", "string", "Where"),
        Column("length", "number", "How far"),
        Column("steps", "integer", "How many"),
        Column("is_loop", "boolean", "Whether it ends where it began"),
    ),
    ROWS,
)


@dataclass(frozen=True)
class Walk:
    """What a made-up question found."""

    pace: float
    who: tuple[int, ...]
    best: float | None = None


@pytest.fixture
def result(monkeypatch: pytest.MonkeyPatch) -> Result:
    walks = Further(name="a_walk", found=Walk, section=lambda *_: Section("walk", "Walk", ()))
    for module in (contents, files):
        monkeypatch.setattr(module, "FURTHER", (walks,))
    return replace(sample_result(), annexes=(Annex("a_walk", Walk(4.5, (1,)), (TABLE,)),))


def test_an_annex_comes_back_from_its_files(result: Result, tmp_path: Path) -> None:
    files.write_result(result, tmp_path / "out")
    back = files.read_result(tmp_path / "out")
    assert back.annex("a_walk") == result.annex("a_walk")
    assert back.annex("another") is None
    assert (tmp_path / "out/data/walks.csv-metadata.json").is_file()


def test_every_kind_of_block_is_printed(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table("Cells", ("Name", "Value"), (("x", "1"),))
    figure = Figure(
        chart='<svg xmlns="http://www.w3.org/2000/svg"></svg>', title="A picture", table=table, data="walks"
    )
    inner = Section("inner", "Inside", (Paragraph("first words", lead=True),))
    blocks = (
        Paragraph("second words"),
        Bullets(("third words",)),
        Facts((("fourth", "words"),)),
        Data(table, "walks"),
        figure,
        Folded("fifth words", (Paragraph("sixth words"),)),
    )
    outer = Section("outer", "Outside", blocks, (inner,))
    walks = Further(name="a_walk", found=Walk, section=lambda *_: outer)
    monkeypatch.setattr(contents, "FURTHER", (walks,))
    text = faces.render(result)
    for words in ("first", "second", "third", "fifth", "sixth"):
        assert f"{words} words" in text
    assert "<dt>fourth</dt><dd>words</dd>" in text
    assert '<h2 id="outer">Outside</h2>' in text
    assert '<h3 id="inner">Inside</h3>' in text
    assert "A picture" in text

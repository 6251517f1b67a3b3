"""Every number of every result in an annex is found again in findings.json."""

from __future__ import annotations

import html as entities
import json
import re
from pathlib import Path

import pytest

from areaeffect import wording
from areaeffect.report import files
from areaeffect.results import Finding
from tests.shared.sample_result import sample_result
from tests.unit.wording.test_wording import NUMBER, same


def held(folder: Path) -> list[Finding]:
    rows = json.loads((folder / "findings.json").read_text(encoding="utf-8"))["findings"]
    return [files.read_finding(row) for row in rows]


def text_of(markup: str) -> str:
    return re.sub(r"\s+", " ", entities.unescape(re.sub(r"<[^>]+>", " ", markup))).strip()


def check_report(folder: Path) -> int:
    """Read every table of results back; return how many findings were read.

    Each row is matched with its finding by group and outcome, and each cell must hold only numbers
    of that finding, each in its role and at its rounding.
    """
    page = (folder / "annex.html").read_text(encoding="utf-8")
    known: dict[tuple[str, str], Finding] = {}
    for f in wording.main_findings(held(folder)):
        group = "All initiatives together" if f.group == "All initiatives" else f.group
        level = " (level)" if f.claim == "level" else ""
        known[group, f"{f.label[:1].upper()}{f.label[1:]}{level}"] = f
    read = 0
    for table in re.findall(r"<table.*?</table>", page, flags=re.DOTALL):
        caption = text_of(re.findall(r"<caption>(.*?)</caption>", table, flags=re.DOTALL)[0])
        group = caption.rpartition(": ")[0]
        for row in re.findall(r"<tr.*?</tr>", table, flags=re.DOTALL)[1:]:
            cells = [text_of(c) for c in re.findall(r"<t[hd].*?</t[hd]>", row, flags=re.DOTALL)]
            if (group, cells[0]) in known and len(cells) == ROLES:
                check_row(known[group, cells[0]], cells)
                read += 1
    return read


ROLES = 7  # outcome, verdict, estimate, observed, expected, smallest detectable, p
SIGNED = re.compile(r"(−?)" + NUMBER)


def check_row(finding: Finding, cells: list[str]) -> None:
    per_cent = finding.form == "ratio"
    if finding.estimate is None:
        assert set(cells[2:]) == {"–"}, cells
        return
    shown = SIGNED.findall(cells[2])
    assert len(shown) == 3, cells
    for (sign, text), value in zip(shown, (finding.estimate, finding.low, finding.high), strict=True):
        assert same(text, value, per_cent=per_cent), (cells, value)
        assert value is not None
        assert not sign or value < 0
    for cell, value in zip(cells[3:5], (finding.observed, finding.counterfactual), strict=True):
        assert cell == "–" or same(SIGNED.findall(cell)[0][1], value, per_cent=False), cells
    if finding.mde is not None:
        assert same(SIGNED.findall(cells[5])[0][1], finding.mde, per_cent=per_cent), cells


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "out"
    files.write_result(sample_result(placebos=19, shapes=False), out)
    return out


def test_every_row_of_results_is_read_back(folder: Path) -> None:
    assert check_report(folder) == 18


def test_the_reader_finds_a_wrong_number_in_a_report(folder: Path, tmp_path: Path) -> None:
    for name in ("findings.json", "annex.html"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    text = (folder / "annex.html").read_text(encoding="utf-8")
    wrong = text.replace("−11.8% (", "−11.9% (", 1)
    assert wrong != text
    (tmp_path / "annex.html").write_text(wrong, encoding="utf-8")
    with pytest.raises(AssertionError):
        check_report(tmp_path)

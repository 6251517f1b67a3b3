"""Every number of every sentence in a report is found again in findings.json."""

from __future__ import annotations

import html as entities
import json
import re
from pathlib import Path

import pytest

from areaeffect.report import files
from areaeffect.results import Finding
from tests.shared.sample_result import sample_result
from tests.unit.wording.test_wording import BANNED, read_whole

MOST_WORDS = 30


def held(folder: Path) -> list[Finding]:
    rows = json.loads((folder / "findings.json").read_text(encoding="utf-8"))["findings"]
    return [files.read_finding(row) for row in rows]


def text_of(markup: str) -> str:
    return re.sub(r"\s+", " ", entities.unescape(re.sub(r"<[^>]+>", " ", markup))).strip()


def check_report(folder: Path) -> int:
    """Read every headline, sentence and saying of a report back; return how many were read.

    Each card is matched with its finding by title, claim and verdict, and each text must hold
    only numbers of that finding, each in its role and at its rounding.
    """
    page = (folder / "annex.html").read_text(encoding="utf-8")
    known: dict[str, list[Finding]] = {}
    for f in held(folder):
        if f.neighbourhood is None and f.outcome:
            group = "All initiatives together" if f.group == "All initiatives" else f.group
            known.setdefault(f"{f.label[:1].upper()}{f.label[1:]}: {group}", []).append(f)
    read = 0
    for card in re.findall(r'<article class="card.*?</article>', page, flags=re.DOTALL):
        title = re.search(r"<h4[^>]*>(.*?)</h4>", card, flags=re.DOTALL)
        assert title
        candidates = known[text_of(title[1])]
        leads = re.findall(r'<p class="lead">(.*?)</p>', card, flags=re.DOTALL)
        bare = re.findall(r"<p>((?:(?!<span|<a ).)*?)</p>", card, flags=re.DOTALL)
        rate = re.findall(r"As a rate\.</strong>(.*?)</p>", card, flags=re.DOTALL)
        for text in map(text_of, [*leads, *bare, *rate]):
            assert _fits_one(text, candidates), text
            assert not [word for word in BANNED if word in text.lower()], text
            read += 1
        assert all(len(text_of(text).split()) <= MOST_WORDS for text in leads)
    return read


def _fits_one(text: str, candidates: list[Finding]) -> bool:
    for finding in candidates:
        if finding.estimate is None and "could not be estimated" in text:
            return True
        try:
            read_whole(text, finding)
        except AssertionError:
            continue
        return True
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "out"
    files.write_result(sample_result(placebos=19, shapes=False), out)
    return out


def test_every_sentence_of_a_report_is_read_back(folder: Path) -> None:
    assert check_report(folder) >= 2 * 18 + 9


def test_the_reader_finds_a_wrong_number_in_a_report(folder: Path, tmp_path: Path) -> None:
    for name in ("findings.json", "annex.html"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    text = (folder / "annex.html").read_text(encoding="utf-8")
    wrong = text.replace("came out 11.8% lower", "came out 11.9% lower")
    assert wrong != text
    (tmp_path / "annex.html").write_text(wrong, encoding="utf-8")
    with pytest.raises(AssertionError):
        check_report(tmp_path)

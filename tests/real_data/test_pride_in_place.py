"""Pride in Place: the plans that were sealed are the plans of today, and nothing is read too early."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest

from areaeffect.commands.evaluate import begin, compare_with_sealed, planned
from areaeffect.errors import NothingEstimableError
from areaeffect.findings.refusals import refuse_before_data
from areaeffect.study.file import read_study

STUDIES = Path(__file__).parents[2] / "studies" / "pride_in_place"
SEALS = {
    "england": "79ba116e122c9ed230c4dac3c18b13036db3177b75e27c48f7d13dc8ae60fc3b",
    "crime": "23ed14b093baa87e0a67d0bda756c485de17e90169f1242fb0e7eb94630e80eb",
}
PLACES = {"england": 186, "crime": 32}
WHY = {"england": "crime is known to 2025", "crime": "the first planned look is on data to 2027-03"}


@pytest.mark.slow
@pytest.mark.parametrize("part", ["england", "crime"])
def test_the_sealed_plan_is_that_of_today_and_waits_for_its_data(
    part: str, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(real_data))
    file = read_study(STUDIES / f"{part}.toml")
    data, plan = begin(file, None, lambda *_: None)
    assert any(SEALS[part] in note for note in compare_with_sealed(file, planned(file, data, plan)))
    assert len({d.neighbourhood for d in plan.designs}) == PLACES[part]
    measures = [data.panel.measures[o.name] for o in file.study.outcome]
    with pytest.raises(NothingEstimableError, match=WHY[part]):
        refuse_before_data(file.study, plan, measures, part)


@pytest.mark.parametrize("part", ["england", "crime"])
def test_a_plan_is_printed_on_two_pages(part: str) -> None:
    assert len(pypdfium2.PdfDocument(STUDIES / "plan" / part / "plan.pdf")) == 2


def test_the_looks_are_those_of_the_plan_in_words() -> None:
    words = (STUDIES / "PLAN.md").read_text(encoding="utf-8")
    looks = read_study(STUDIES / "crime.toml").looks
    assert looks == ("2027-03", "2028-03", "2030-03", "2036-03")
    assert all(f"| {look[:4]} |" in words for look in looks)

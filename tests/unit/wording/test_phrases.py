from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given

import areaeffect
from areaeffect import wording
from areaeffect.results import Finding, Verdict
from areaeffect.wording.terms import PHRASES
from tests.unit.wording.test_wording import findings

SOURCE = Path(areaeffect.__file__).parent


@given(findings())
def test_every_phrase_gets_what_it_asks_for(finding: Finding) -> None:
    for text in (wording.headline(finding), wording.overall([finding])):
        assert text
        assert not re.search(r"[{}]", text)


def test_every_verdict_and_claim_has_a_name_of_its_own() -> None:
    names = [wording.verdict_name(verdict) for verdict in Verdict]
    assert len(set(names)) == len(Verdict)
    claims = [PHRASES[f"claim.{claim}"] for claim in ("change", "level", "contrast")]
    assert len(set(claims)) == len(claims)


def test_no_phrase_is_left_over() -> None:
    code = "\n".join(p.read_text(encoding="utf-8") for p in SOURCE.rglob("*.py"))
    begins = set(re.findall(r"""f["']([a-z_]+\.[a-z_]*)\{""", code))
    for key in PHRASES:
        spelt = f'"{key}"' in code or f"'{key}'" in code
        built = any(key.startswith(begin) for begin in begins)
        assert spelt or built, key

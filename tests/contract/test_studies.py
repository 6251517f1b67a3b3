"""Every study that is committed can be read, and one asks about every family."""

from __future__ import annotations

from pathlib import Path

import pytest

from areaeffect.outcomes import FAMILIES
from areaeffect.study.file import is_collection, read_study

STUDIES = Path(__file__).parents[2] / "studies"
#: Those of `explore` have no initiative: the web app asks for it.
FILES = sorted(p for p in STUDIES.glob("*/*.toml") if p.parent.name != "explore" and not is_collection(p))


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_committed_study_can_be_read(path: Path) -> None:
    assert read_study(path).study.study.title


def test_one_study_of_published_tables_asks_about_all_six_families() -> None:
    file = read_study(STUDIES / "london_licensing" / "six_families.toml")
    assert {o.family for o in file.study.outcome} == set(FAMILIES)
    assert {s.kind for s in file.study.source.values()} == {"published"}

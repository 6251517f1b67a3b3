"""Places in need that are no Big Local area: whole middle-layer areas of England."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from areaeffect.commands.where_next import Request, where_next_into
from areaeffect.where_next import ranking as targeting

INDEX = Path(__file__).parents[2] / "indices" / "imd_2025.toml"


def test_places_in_need_outside_big_local(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(real_data))
    monkeypatch.setattr(targeting, "DRAWS", 40)
    members = real_data / "studies_input" / "big_local" / "areas.csv"
    request = Request(areas=members, need=INDEX, first=20)
    made = where_next_into(request, tmp_path / "out", lambda *_: None)
    with members.open(encoding="utf-8", newline="") as file:
        taken = {row["area_code"] for row in csv.DictReader(file)}
    listed = {str(made.areas[a]) for place in made.places for a in place}
    assert not taken & listed
    assert made.need is not None
    assert made.need.rank.tolist() == sorted(made.need.rank.tolist())
    assert len(made.places) + 291 > 6_700  # of 6,856 MSOAs of England
    first = made.need.low[0], made.need.high[0]
    assert first[0] == 1
    assert first[1] < 50  # the worst of all stays among the worst

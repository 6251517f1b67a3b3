"""The register: others never serve as benchmark areas; overlaps and what is not known are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from areaeffect.assembly.assemble import Assembled, assemble
from areaeffect.commands.evaluate import evaluate_into
from areaeffect.errors import DataError
from areaeffect.findings.plan import UNCERTAIN, make_plan
from areaeffect.further.register import MAY_LIE_HERE, NO_EVIDENCE
from areaeffect.study.file import read_study
from tests.shared.small_study import CODES, edit, write_small_study

LOOKUP = "area_code,ward_name,authority_name\n" + "".join(
    f"{code},{'Mill' if i % 8 < 4 else 'Park'},{'Northborough' if i < 24 else 'Southborough'}\n"
    for i, code in enumerate(CODES)
)
OTHERS = """\
programme,neighbourhood,area_code,ward,authority,start_date,end_date
New Deal,Hilltop,T005,,,2012,2014
New Deal,Hilltop,T006,,,2012,2014
New Deal,Old Town,T045,,,1998,2010
New Deal,Far Away,Z001,,,2012,2014
Trailblazers,Abbey Road,T010,,,2025,
Wardens,Central,T010,,,,
Wardens,Mill,,,Southborough,,
Wardens,Nowhere,,,Northborough,,
Wardens,Somewhere,,,,,
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = write_small_study(tmp_path)
    (tmp_path / "lookup.csv").write_text(LOOKUP)
    (tmp_path / "others.csv").write_text(OTHERS)
    edit(path, "buffer_km = 0.0", 'buffer_km = 0.0\nothers = ["others.csv"]\nlookup = "lookup.csv"')
    return path


def with_authorities(study: Path) -> None:
    text = (study.parent / "areas.csv").read_text().splitlines()
    names = ["authority", *("Northborough" if i < 24 else "Southborough" for i in range(48))]
    rows = [f"{row},{name}" for row, name in zip(text, names, strict=True)]
    (study.parent / "areas.csv").write_text("\n".join(rows) + "\n")
    edit(study, "buffer_km = 0.0", 'buffer_km = 0.0\nauthority = "areas.authority"')


def read(study: Path) -> Assembled:
    return assemble(read_study(study))


def test_entries_are_located_by_code_or_by_the_name_of_a_ward(study: Path) -> None:
    entries = {e.name: e for e in read(study).registered.known.entries}
    assert entries["Hilltop"].areas == ("T005", "T006")
    assert (entries["Mill"].how, len(entries["Mill"].areas)) == ("ward", 12)
    assert (entries["Nowhere"].how, entries["Nowhere"].reason) == (
        "not located",
        "no ward or MSOA is called 'Nowhere' in Northborough",
    )
    assert entries["Somewhere"].reason == "it has neither area codes nor a local authority"
    assert {e.when for e in entries.values()} == {
        "during the window",
        "ended before the window",
        "begins after the window",
    }


def test_areas_of_others_in_the_window_never_serve(study: Path) -> None:
    data = read(study)
    plan = make_plan(read_study(study), data, "test")
    reasons = dict(zip(data.panel.areas, plan.pool.reasons, strict=True))
    assert reasons["T005"] == reasons["T024"] == "in another initiative of the register"
    assert reasons["T045"] == ""  # its initiative had ended before the window began
    assert reasons["T010"] == "treated"


DRAWN = """{"type": "FeatureCollection", "features": [{"type": "Feature",
 "properties": {"name": "Corner", "programme": "Wardens"}, "geometry": {"type": "Polygon",
 "coordinates": [[[-1.5, 54.5], [-1.49, 54.5], [-1.49, 54.505], [-1.5, 54.505], [-1.5, 54.5]]]}}]}
"""
POSTCODES = "postcode,area_code\nTS1 0AA,T007\nTS1 0AB,T007\nTS1 0AC,T015\nTS1 0AD,T015\n"


def test_a_register_may_be_drawn_or_list_postcodes(study: Path) -> None:
    folder = study.parent
    (folder / "drawn.geojson").write_text(DRAWN)
    (folder / "homes.csv").write_text("postcode,neighbourhood\nTS1 0AA,Top\nTS1 0AB,Top\nQ,Top\n")
    (folder / "lookup.csv").write_text(POSTCODES)
    edit(study, '"others.csv"', '"drawn.geojson", "homes.csv"')
    data = read(study)
    entries = [(e.name, e.how, e.areas) for e in data.registered.known.entries]
    assert entries == [
        ("Corner", "drawn", ("T000", "T001")),
        ("Top", "postcodes", ("T007",)),
        ("Q", "not located", ()),
    ]
    assert set(data.panel.areas[data.others]) == {"T000", "T001", "T007"}
    assert data.registered.known.notes[-2:] == (
        "drawn.geojson: 1 entry of other initiatives, 1 located, 2 areas in the panel.",
        "homes.csv: 2 entries of other initiatives, 1 located, 1 area in the panel. Not located: Q.",
    )


def test_postcodes_of_a_register_that_lie_elsewhere_are_listed(study: Path) -> None:
    folder = study.parent
    (folder / "homes.csv").write_text("postcode,neighbourhood\nTS1 0AA,Top\nYO1 0AA,York\n")
    (folder / "lookup.csv").write_text(POSTCODES + "YO1 0AA,Z001\nTS1 0AB,T008\n")
    edit(study, '"others.csv"', '"homes.csv"')
    entries = {e.name: e for e in read(study).registered.known.entries}
    assert entries["York"].reason == "outside the study's areas"


def test_overlaps_are_found_and_shown(study: Path) -> None:
    overlaps = read(study).registered.known.overlaps
    assert [(o.first, o.second, o.areas) for o in overlaps if "T010" in o.areas] == [
        (("Residents First", "Abbey"), ("Trailblazers", "Abbey Road"), ("T010",)),
        (("Residents First", "Abbey"), ("Wardens", "Central"), ("T010",)),
        (("Trailblazers", "Abbey Road"), ("Wardens", "Central"), ("T010",)),
    ]


def test_whole_authorities_may_be_left_out(study: Path) -> None:
    with_authorities(study)
    edit(study, "buffer_km = 0.0", 'buffer_km = 0.0\nuncoded = "leave out authority"')
    data = read(study)
    plan = make_plan(read_study(study), data, "test")
    left = [a for a, r in zip(data.panel.areas, plan.pool.reasons, strict=True) if r == UNCERTAIN]
    assert left
    assert set(left) <= set(CODES[:24])
    assert not plan.pool.eligible[:24].any()


def test_leaving_out_authorities_needs_them(study: Path) -> None:
    edit(study, "buffer_km = 0.0", 'buffer_km = 0.0\nuncoded = "leave out authority"')
    with pytest.raises(DataError, match="not known in which authority each area lies"):
        read(study)


def test_the_others_may_be_studied_as_a_group(study: Path) -> None:
    edit(study, "buffer_km = 0.0", "buffer_km = 0.0\nstudy_others = true")
    others = OTHERS.replace(",2012,2014", ",2012-10,2014")
    (study.parent / "others.csv").write_text(others)
    data = read(study)
    names = {n.initiative: n.name for n in data.neighbourhoods}
    assert names["Other initiatives"] == "Hilltop (New Deal)"
    assert not set(data.others) & {int(a) for n in data.neighbourhoods for a in n.areas}


def test_the_report_says_what_is_known_and_what_is_not(study: Path) -> None:
    with_authorities(study)
    out = study.parent / "out"
    result = evaluate_into(study, out, threads=1)
    annex = result.annex("register")
    assert annex is not None
    said = annex.found
    assert (said.entries, said.during, said.located) == (8, 6, 4)
    assert (said.not_located, said.without_authority, said.studied_overlaps) == (2, 1, 2)
    rows = annex.table("register_benchmark_areas").records()
    north = [r for r in rows if r["authority"] == "Northborough"]
    assert north
    assert {r["evidence"] for r in north} == {MAY_LIE_HERE}
    assert {r["evidence"] for r in rows if r not in north} == {NO_EVIDENCE}
    assert all(r["nearest_km"] >= 0 for r in rows)
    page = (out / "annex.html").read_text(encoding="utf-8")
    assert 'id="register"' in page
    assert "no evidence of an initiative in the register" in page
    assert "untreated" not in page

"""Counts read in one pass, against the same files counted row by row."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from areaeffect.sources.police_uk import counting
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.lake import open_lake
from areaeffect.sources.police_uk.panel_query import read_counts, read_points
from tests.shared.street_files import crime, put, street

FORCES = ("cleveland", "durham", "northumbria")
MONTHS = ("2023-01", "2023-02", "2023-03", "2023-04")
KINDS = {"Burglary": "burglary", "Drugs": "drugs", "Anti-social behaviour": "anti-social-behaviour"}
SETS = (("burglary",), ("burglary", "drugs"))
CODES = [f"E0101198{i}" for i in range(8)]

Row = tuple[str, str, str, str, bool]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Made-up incidents (force, month, code, kind, has a point); April lacks."""
    draw = random.Random(7)
    return [
        (
            draw.choice(FORCES),
            draw.choice(MONTHS[:3]),
            draw.choice([*CODES, ""]),
            draw.choice(list(KINDS)),
            draw.random() < 0.8,
        )
        for _ in range(800)
    ]


@pytest.fixture(scope="module", params=[20, 1 << 16])
def store(request: pytest.FixtureRequest, rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of these incidents, in row groups of several sizes."""
    folder = tmp_path_factory.mktemp("store")
    for force in FORCES:
        for month in MONTHS[:3]:
            lines = [
                crime(f"{i}", month, *(("-1.2", "54.5") if point else ("", "")), area=a, kind=kind)
                for i, (f, m, a, kind, point) in enumerate(rows)
                if (f, m) == (force, month)
            ]
            put(folder / "in", street(*lines), f"{month}-{force}-street.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "ROWS_OF_GROUP", request.param)
        ingest_police_uk([folder / "in"], folder / "store")
    return folder / "store"


@pytest.mark.parametrize("forces", [FORCES, ("durham",), ("cleveland", "northumbria")])
def test_counts_equal_those_of_the_rows(store: Path, rows: list[Row], forces: tuple[str, ...]) -> None:
    found = read_counts(open_lake(store), forces, MONTHS, SETS)
    used = [(f, MONTHS.index(m), a, KINDS[k], p) for f, m, a, k, p in rows if f in forces]
    assert found.codes.tolist() == sorted({a for _, _, a, _, _ in used if a})
    for i, categories in enumerate((*SETS, tuple(KINDS.values()))):
        expected = Counter((m, a) for _, m, a, k, _ in used if a and k in categories)
        for period in range(len(MONTHS)):
            for place, code in enumerate(found.codes.tolist()):
                assert found.values[i, place, period] == expected[period, code]
    seen = Counter((a, m, f) for f, m, a, _, _ in used if a)
    period, pair = np.nonzero(found.incidents)
    code, force = found.pairs[:, pair].tolist()
    assert {
        (str(found.codes[c]), p, forces[f]): int(n)
        for c, f, p, n in zip(code, force, period.tolist(), found.incidents[period, pair], strict=True)
    } == dict(seen)
    bare = Counter((f, m) for f, m, a, _, _ in used if not a)
    points = Counter((f, m) for f, m, a, _, p in used if not a and p)
    assert sorted(found.not_located) == sorted((f, m, n, points[f, m]) for (f, m), n in bare.items())


def test_codes_are_added_up_to_areas_and_forces(store: Path, rows: list[Row]) -> None:
    found = read_counts(open_lake(store), FORCES, MONTHS, SETS)
    area_of_code = np.array([0, 0, 1, -1, 2, 2, 3, 3])
    used = [(f, m, CODES.index(a), k) for f, m, a, k, _ in rows if a]
    everything = found.by_area(area_of_code, 4)[-1]
    expected = np.zeros((4, 4))
    for _, month, code, _ in used:
        area = area_of_code[code]
        if area >= 0:
            expected[area, MONTHS.index(month)] += 1
    np.testing.assert_array_equal(everything, expected)
    pairs = np.array([(c, a) for c, a in enumerate(area_of_code) if a >= 0]).T
    incidents = found.policed(pairs, (4, 3))
    assert incidents.sum() == expected.sum()


def test_a_code_that_was_split_counts_for_each_part(store: Path, rows: list[Row]) -> None:
    found = read_counts(open_lake(store), FORCES, MONTHS, SETS)
    whole = found.policed(np.array([[3], [0]]), (2, 3))
    each = found.policed(np.array([[3, 3, 4], [0, 1, 1]]), (2, 3))
    of_code = Counter((f, a) for f, _, a, _, _ in rows)
    expected = [[of_code[f, CODES[i]] for f in FORCES] for i in (3, 4)]
    assert whole.tolist() == [expected[0], [0, 0, 0]]
    assert each.tolist() == [expected[0], np.sum(expected, axis=0).tolist()]


def test_places_are_those_of_the_codes_asked_and_of_none(store: Path, rows: list[Row]) -> None:
    found = read_counts(open_lake(store), FORCES, MONTHS, SETS)
    points = read_points(open_lake(store), found, FORCES, MONTHS, CODES[:2])
    asked = Counter(a for _, _, a, _, p in rows if a in CODES[:2] or (not a and p))
    assert {c: points.counts[points.codes == c].sum() for c in set(points.codes)} == dict(asked)


def test_an_area_has_its_latest_name(tmp_path: Path) -> None:
    for month, name in (("2023-01", "Old 001A"), ("2023-02", "New 001A")):
        row = crime("a", month).replace("Hartlepool 001A", name)
        gone = crime("b", month, area="E01011950") if month == "2023-01" else ""
        put(tmp_path / "in", street(row, gone), f"{month}-cleveland-street.csv")
    ingest_police_uk([tmp_path / "in"], tmp_path / "store")
    found = read_counts(open_lake(tmp_path / "store"), ("cleveland",), ("2023-01", "2023-02"), ())
    assert dict(zip(found.codes.tolist(), found.names.tolist(), strict=True)) == {
        "E01011949": "New 001A",
        "E01011950": "Hartlepool 001A",
    }

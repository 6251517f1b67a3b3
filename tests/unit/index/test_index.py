from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.cli import main
from areaeffect.commands.index import build_index, index_into
from areaeffect.errors import AreaEffectError, StudyError
from areaeffect.index import composite as numerics
from areaeffect.index.composite import IndexResult
from areaeffect.study.index import read_index
from areaeffect.wording.numbers import PHRASES

TABLE = """area_code,place,poor,adults,paths,council,need
T01,Abbey,50,100,9,X,9
T02,Bridge,20,100,7,X,8
T03,Castle,10,100,,X,1
T04,Dale,3,10,3,Y,2
T05,Edge,40,200,2,Y,7
T06,Ford,30,300,1,Y,3
"""
INDEX = """
[index]
title = "Two things"
authorities = { path = "areas.csv", column = "council" }

[[indicator]]
name = "poor"
path = "areas.csv"
column = "poor"
denominator = { path = "areas.csv", column = "adults" }
worse = "high"
weight = 2

[[indicator]]
name = "paths"
path = "areas.csv"
column = "paths"
worse = "low"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "areas.csv").write_text(TABLE, encoding="utf-8")
    file = tmp_path / "index.toml"
    file.write_text(INDEX, encoding="utf-8")
    return file


def built(path: Path, old: str = "", new: str = "") -> IndexResult:
    if old:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return build_index(read_index(path))


def faults(path: Path, old: str, new: str) -> str:
    with pytest.raises(AreaEffectError) as caught:
        built(path, old, new)
    return str(caught.value)


# ---------------------------------------------------------------- formulas


def test_the_exponential_transformation_at_its_known_points() -> None:
    assert numerics.exponential(np.array([1.0]))[0] == pytest.approx(100.0)
    assert numerics.exponential(np.array([0.0]))[0] == 0.0
    # a tenth of the areas scores 50 and more
    assert numerics.exponential(np.array([0.9]))[0] == pytest.approx(50.0, abs=0.6)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=30))
def test_scaled_ranks_are_those_of_a_plain_count(values: list[int]) -> None:
    found = numerics.scaled_rank(np.array(values, dtype=float))
    n = len(values)
    plain = [(sum(w < v for w in values) + (sum(w == v for w in values) + 1) / 2) / n for v in values]
    assert found == pytest.approx(plain)
    assert 0 < found.min() <= found.max() <= 1


def test_shrinkage_is_that_of_the_formulas_written_out() -> None:
    r, n = [1.0, 30.0, 2.0, 7.0], [10.0, 100.0, 200.0, 50.0]
    found = numerics.shrunken(np.array(r), np.array(n), np.array(["X", "X", "X", "Y"]))
    m = [math.log((a + 0.5) / (b - a + 0.5)) for a, b in zip(r, n, strict=True)]
    s2 = [(b + 1) * (b + 2) / (b * (a + 1) * (b - a + 1)) for a, b in zip(r, n, strict=True)]
    big = math.log((sum(r[:3]) + 0.5) / (sum(n[:3]) - sum(r[:3]) + 0.5))
    mean = sum(m[:3]) / 3
    t2 = sum((x - mean) ** 2 for x in m[:3]) / 2
    for i in range(3):
        w = (1 / s2[i]) / (1 / s2[i] + 1 / t2)
        z = w * m[i] + (1 - w) * big
        assert found[i] == pytest.approx(1 / (1 + math.exp(-z)))
    # an authority of one area has nothing to shrink towards
    assert found[3] == pytest.approx(7.5 / 51)


def test_shrinkage_draws_the_smallest_area_most() -> None:
    r, n = np.array([3.0, 30.0, 300.0, 100.0, 100.0]), np.array([10.0, 100.0, 1000.0, 800.0, 900.0])
    found = numerics.shrunken(r, n, np.array(["X"] * 5))
    drawn = np.abs(found - r / n)[:3]
    assert drawn[0] > drawn[1] > drawn[2]


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=20, unique=True),
    st.floats(1e-3, 1e3),
    st.floats(-1e3, 1e3),
)
def test_no_scale_of_an_indicator_moves_a_rank(values: list[float], scale: float, shift: float) -> None:
    x = np.round(np.array(values), 3)
    for method in ("exponential", "rank"):
        first = numerics.standardise(x, method)
        assert numerics.standardise(np.round(x, 3) * 8.0, method) == pytest.approx(first)
    z = numerics.standardise(x, "z-score")
    if x.std() > 1e-2:
        assert numerics.standardise(x * scale + shift, "z-score") == pytest.approx(z, abs=1e-6)


def test_rank_one_is_worst_and_no_score_has_no_rank() -> None:
    rank = numerics.ranks(np.array([3.0, np.nan, 9.0, 3.0]))
    assert rank[[0, 2, 3]].tolist() == [2, 1, 2]
    assert np.isnan(rank[1])
    assert numerics.deciles(np.arange(1.0, 11.0)).tolist() == list(range(1, 11))


def test_left_behind_is_worst_on_both() -> None:
    need = np.array([9.0, 8.0, 1.0, 2.0, np.nan])
    deprivation = np.array([9.0, 1.0, 8.0, 2.0, 99.0])
    found = numerics.left_behind(need, deprivation, 0.5)
    assert found.tolist() == [True, False, False, False, False]


def test_compared_counts_who_leaves_the_worst_tenth() -> None:
    base = np.arange(20.0)
    other = base.copy()
    other[19] = -1
    correlation, left, of, moved = numerics.compared(base, other)
    assert (left, of, moved) == (1, 2, 19)
    assert 0 < correlation < 1
    assert numerics.compared(base, base) == (pytest.approx(1.0), 0, 2, 0)


# ---------------------------------------------------------------- the file


def test_an_index_by_hand(path: Path) -> None:
    result = built(path)
    ratio = [0.5, 0.2, 0.1, 0.3, 0.2, 0.1]
    assert result.score[2] != result.score[2]  # Castle has no paths: no score
    ranked = numerics.scaled_rank(np.array(ratio))
    paths = numerics.scaled_rank(np.array([-9, -7, np.nan, -3, -2, -1.0]))
    by_hand = (2 * numerics.exponential(ranked) + numerics.exponential(paths)) / 3
    assert result.score == pytest.approx(by_hand, nan_ok=True)
    assert {v.choice for v in result.variants} >= {
        "weight of poor",
        "weights",
        "indicator paths",
        "standardisation",
    }


def outlined(path: Path, areas: int = 6) -> None:
    """Give the areas of the index outlines, squares in a row; more than six have names too."""
    import geopandas as gpd
    import shapely

    codes = [f"T{i:02d}" for i in range(1, areas + 1)]
    if areas > 6:
        head = TABLE.splitlines()[0]
        rows = [
            f"{c},{c},{90 - i},100,{'' if i == 2 else 9 + i},{'XY'[i % 2]},1" for i, c in enumerate(codes)
        ]
        (path.parent / "areas.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    squares = [shapely.box(400_000 + 1000 * i, 300_000, 401_000 + 1000 * i, 301_000) for i in range(areas)]
    gpd.GeoDataFrame({"code": codes}, geometry=squares, crs=27700).to_file(path.parent / "areas.geojson")
    text = path.read_text(encoding="utf-8")
    named = 'boundaries = "areas.geojson"\nboundaries_area = "code"\nauthorities'
    path.write_text(text.replace("authorities", named, 1), encoding="utf-8")


def test_the_page_has_councils_and_a_map_where_the_index_says_where_its_areas_lie(
    path: Path, tmp_path: Path
) -> None:
    outlined(path, 21)
    result = index_into(path, tmp_path / "out")
    assert result.council.tolist() == ["XY"[i % 2] for i in range(21)]
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "worst tenth (2)" in page
    assert "no score (1)" in page, "the third has no paths"
    assert ">X</text>" in page, "a council with areas in the worst tenth is named on the map"
    assert PHRASES["index.councils"] in page
    (row,) = re.findall(r"<tr[^>]*><th[^>]*>1</th>.*?</tr>", page)
    assert ">X</td>" in row, "the worst area lies in X"
    rows = list(csv.DictReader((tmp_path / "out/index.csv").read_text(encoding="utf-8").splitlines()))
    assert [r["council"] for r in rows] == result.council.tolist()


def test_without_councils_or_outlines_the_page_has_neither(path: Path, tmp_path: Path) -> None:
    plain = path.read_text(encoding="utf-8").replace(
        'authorities = { path = "areas.csv", column = "council" }', ""
    )
    path.write_text(plain, encoding="utf-8")
    result = index_into(path, tmp_path / "out")
    assert set(result.council.tolist()) == {""}
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "Council" not in page
    assert "<svg" not in page


def test_an_index_without_one_of_its_outlines_is_refused(path: Path) -> None:
    outlined(path)
    drawn = json.loads((path.parent / "areas.geojson").read_text(encoding="utf-8"))
    drawn["features"] = drawn["features"][:-1]
    (path.parent / "areas.geojson").write_text(json.dumps(drawn), encoding="utf-8")
    assert "T06" in faults(path, "weight = 2", "weight = 3")


def test_left_behind_stands_in_the_files(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    left = '[left_behind]\npath = "areas.csv"\ncolumn = "need"\nworse = "high"\nshare = 0.4\n'
    path.write_text(f"{text}\n{left}", encoding="utf-8")
    result = index_into(path, tmp_path / "out")
    assert result.behind is not None
    text = (tmp_path / "out/index.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [r["area_code"] for r in rows if r["is_left_behind"] == "true"] == [
        str(a) for a, b in zip(result.areas, result.behind, strict=True) if b
    ]
    assert all(v.left_behind is not None for v in result.variants)
    run = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
    assert run["releases"][0]["file"] == "areas.csv"
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "left behind" in page
    assert (tmp_path / "out/index.csv-metadata.json").is_file()


def test_an_index_as_json_has_the_rows_of_its_files(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "json"
    monkeypatch.setattr("sys.argv", ["areaeffect", "index", str(path), "--out", str(out), "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    found = json.loads(capsys.readouterr().out)
    rows = list(csv.DictReader((out / "index.csv").read_text(encoding="utf-8").splitlines()))
    assert [r["area_code"] for r in found["index"]] == [r["area_code"] for r in rows]
    scores = [("" if r["score"] is None else str(r["score"])) for r in found["index"]]
    assert scores == [r["score"] for r in rows]
    assert found["sensitivity"]
    assert found["plan"]["indicator"]


def test_the_same_index_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        index_into(path, tmp_path / name)
    names = sorted(p.name for p in (tmp_path / "first").iterdir())
    assert len(names) == 7
    for name in names:
        first, second = (tmp_path / d / name for d in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('worse = "high"', 'worse = "bad"', "line 11, indicator.0.worse: 'bad' is not allowed"),
        ("weight = 2", "weight = 0", "greater than 0"),
        ("weight = 2", "wieght = 2", "Did you mean 'weight'?"),
        ('name = "paths"', 'name = "poor"', "two indicators are named 'poor'"),
        ('column = "paths"', 'column = "path"', "Did you mean 'paths'?"),
        ('column = "paths"', 'column = "council"', "is text, not numbers"),
        ('path = "areas.csv"\ncolumn = "paths"', 'column = "paths"', "give either `release`"),
        ('path = "areas.csv"\ncolumn = "paths"', 'release = "imd"\ncolumn = "x"', "no release"),
        ('worse = "low"', 'worse = "low"\nshrink = true', "`shrink` needs a `denominator`"),
        ('title = "Two things"', "", "'title' is missing"),
    ],
)
def test_a_wrong_index_file_is_named(path: Path, old: str, new: str, words: str) -> None:
    assert words in faults(path, old, new)


def test_every_fault_of_an_index_shows_at_once(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace('"high"', '"up"').replace('"low"', '"down"')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        read_index(path)
    assert len(caught.value.problems) == 2


def test_a_file_that_is_not_there_is_not_called_a_study(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no such index file"):
        read_index(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("T06,Ford,30", "T06,Ford,-99", "1 cell of 'poor' holds -99"),
        ("T06,Ford,30", "T06,Ford,-3", "'poor' is negative in 1 area: T06"),
        ("T06,Ford", "E92000001,Ford", "1 are of another kind: E92000001 (countries)"),
        ("T06,Ford,30", "T06,Ford,90000", "over 50 times off from all others: T06 90000"),
    ],
)
def test_what_is_no_number_of_an_area_is_refused(path: Path, old: str, new: str, what: str) -> None:
    more = "".join(f"T{i},Place {i},{i},100,{i},X,1\n" for i in range(10, 30))
    table = path.with_name("areas.csv")
    table.write_text((TABLE + more).replace(old, new), encoding="utf-8")
    with pytest.raises(AreaEffectError) as refused:
        build_index(read_index(path))
    assert what in str(refused.value)


def test_an_indicator_that_is_the_same_everywhere_is_refused(path: Path) -> None:
    table = path.with_name("areas.csv")
    table.write_text(re.sub(r"(?m),(\d*),([XY]),", r",4,\2,", TABLE), encoding="utf-8")
    with pytest.raises(AreaEffectError, match="'paths' is the same number, 4, in every area"):
        build_index(read_index(path))


def test_a_ratio_without_a_denominator_or_over_one_is_named(path: Path) -> None:
    table = path.with_name("areas.csv")
    table.write_text(TABLE.replace("50,100", "50,0").replace("20,100", "20,10"), encoding="utf-8")
    notes = " ".join(build_index(read_index(path)).notes)
    assert "poor: without a ratio, since the denominator is 0: T01." in notes
    assert "poor: the count is larger than its denominator: T02." in notes

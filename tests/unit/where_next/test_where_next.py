from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from areaeffect.cli import main
from areaeffect.commands.evaluate import evaluate_into
from areaeffect.commands.where_next import Request, where_next_into
from areaeffect.errors import AreaEffectError
from areaeffect.panel import Graph
from areaeffect.where_next import ranking as targeting
from tests.shared.small_study import CODES, COLUMNS, NEIGHBOURHOODS, edit, edit_table, write_small_study

INDEX = """\
[index]
title = "Need"
vintage = "lsoa21"

[[indicator]]
name = "poor"
path = "areas.csv"
column = "deprivation"
worse = "high"

[[indicator]]
name = "crowded"
path = "areas.csv"
column = "population"
worse = "high"
"""


def row_graph(n: int) -> Graph:
    """Areas in a row: each touches the next."""
    near = [[j for j in (i - 1, i + 1) if 0 <= j < n] for i in range(n)]
    indptr = np.concatenate([[0], np.cumsum([len(x) for x in near])]).astype(np.int64)
    return Graph(indptr, np.concatenate(near).astype(np.int64))


def singles(n: int) -> list[np.ndarray]:
    return [np.array([i], dtype=np.int64) for i in range(n)]


# ---------------------------------------------------------------- arrays


def test_places_are_contiguous_of_one_size_and_hold_only_allowed_areas() -> None:
    allowed = np.ones(10, dtype=bool)
    allowed[[3, 9]] = False
    centres = np.column_stack([np.arange(10.0), np.zeros(10)])
    places = targeting.compact(row_graph(10), centres, allowed, 3)
    assert {tuple(p.tolist()) for p in places} == {(0, 1, 2), (4, 5, 6), (5, 6, 7), (6, 7, 8)}


def test_of_two_places_that_overlap_the_first_is_kept() -> None:
    places = [np.array([0, 1]), np.array([1, 2]), np.array([2, 3])]
    kept = targeting.without_overlap(np.array([1, 0, 2]), places, 4)
    assert kept.tolist() == [1]
    assert targeting.without_overlap(np.array([0, 1, 2]), places, 4).tolist() == [0, 2]


def test_distances_are_those_of_a_plain_sum() -> None:
    rng = np.random.default_rng(3)
    places, models, weights = rng.normal(size=(4, 3)), rng.normal(size=(2, 3)), rng.random(3)
    plain = [[sum(w * (a - b) ** 2 for w, a, b in zip(weights, p, m, strict=True)) ** 0.5
              for m in models] for p in places]  # fmt: skip
    assert targeting.distances(places, models, weights) == pytest.approx(np.array(plain))


def test_the_place_like_the_one_that_benefited_comes_first() -> None:
    traits = np.array([[0.0, 0], [5, 5], [0.1, 0], [5.1, 5], [2, 2]])
    models, places = [np.array([0]), np.array([1])], [np.array([k]) for k in (2, 3, 4)]
    effects, errors = np.array([0.5, -0.5]), np.array([0.01, 0.01])
    found = targeting.most_like(places, models, traits, effects, errors, 1, np.random.default_rng(1))
    assert found.rank.tolist() == [1, 3, 2]
    assert found.nearest is not None
    assert found.nearest.tolist() == [0, 0, 0]
    assert found.low[0] == found.high[0] == 1
    assert found.share_first[0] == 1.0


def test_a_rank_is_less_sure_where_it_is_less_sure_what_benefited() -> None:
    rng = np.random.default_rng(5)
    traits = rng.normal(size=(40, 2))
    models, places = singles(40)[:6], singles(40)[6:]
    effects = np.array([0.2, 0.1, 0.15, -0.1, -0.2, -0.15])
    sure, unsure = (
        targeting.most_like(places, models, traits, effects, np.full(6, error), 5, np.random.default_rng(2))
        for error in (0.001, 1.0)
    )
    assert (unsure.high - unsure.low).mean() > (sure.high - sure.low).mean()


def test_the_place_in_most_need_comes_first_and_its_rank_depends_on_the_weights() -> None:
    indicators = np.array([[100.0, 100], [100, 0], [0, 100], [0, 0]])
    found = targeting.most_in_need(singles(4), indicators, np.array([3.0, 1.0]), 1, np.random.default_rng(1))
    assert found.rank.tolist() == [1, 2, 3, 4]
    assert found.low[0] == found.high[0] == 1
    assert (found.low[1], found.high[1]) == (1, 3)  # one indicator may be drawn twice


# ---------------------------------------------------------------- the command


def fewer_in_abbey(crime: pd.DataFrame) -> pd.DataFrame:
    """Halve what is counted in Abbey from its start on."""
    inside = crime["area_code"].isin([CODES[i] for i in NEIGHBOURHOODS["Abbey"]])
    after = crime["month"] >= "2013-01"
    halved = (crime["n"].astype(int) // 2).astype(str)
    return crime.assign(n=crime["n"].where(~(inside & after), halved))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("where")
    path = write_small_study(folder)
    edit_table(folder / "crime.csv", fewer_in_abbey)
    (folder / "index.toml").write_text(INDEX, encoding="utf-8")
    evaluate_into(path, folder / "results", threads=1)
    # with a buffer this small grid would have too few places left to draw placebos from
    edit(path, "buffer_km = 0.0", "buffer_km = 0.1")
    return path


def quiet(_step: str, _done: int, _of: int) -> None:
    pass


def asked(study: Path, **more: Any) -> Request:
    return Request(study=study, results=study.parent / "results", first=5, **more)


def test_no_place_is_in_the_register_or_near_it(study: Path) -> None:
    out = study.parent / "out"
    made = where_next_into(asked(study, need=study.parent / "index.toml"), out, quiet)
    treated = {i for members in NEIGHBOURHOODS.values() for i in members}
    around = {
        j
        for i in treated
        for j in range(len(CODES))
        if max(abs(j // COLUMNS - i // COLUMNS), abs(j % COLUMNS - i % COLUMNS)) <= 1
    }
    listed = [int(a) for place in made.places for a in place]
    assert listed
    assert not {int(str(made.areas[a])[1:]) for a in listed} & around
    assert len(listed) == len(set(listed))
    assert all(len(place) == 2 for place in made.places)

    text = (out / "where_next.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [int(r["like_rank"]) for r in rows] == sorted(int(r["like_rank"]) for r in rows)
    for row in rows:
        assert 1 <= int(row["like_rank_low"]) <= int(row["like_rank_high"]) <= len(rows)
        assert row["most_like"] in NEIGHBOURHOODS
        assert int(row["need_rank"]) >= 1
    page = (out / "where_next.html").read_text(encoding="utf-8")
    assert "is not a prediction" in page
    assert "What this list is not" in page
    assert re.search(r"<text [^>]*>1</text>", page), "the first place has its rank on the map"
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert run["plan"]["places_of_study"] == 3


def test_the_same_list_has_the_same_bytes(study: Path) -> None:
    for name in ("first", "second"):
        where_next_into(asked(study), study.parent / name, quiet)
    for path in sorted((study.parent / "first").iterdir()):
        assert path.read_bytes() == (study.parent / "second" / path.name).read_bytes()


WARDS = "area_code,ward_name,authority_name\n" + "".join(
    f"{code},{'East' if i % COLUMNS > 5 else 'West'},Northborough\n" for i, code in enumerate(CODES)
)


def test_further_files_are_located_by_name_and_what_is_not_is_said(study: Path) -> None:
    folder = study.parent
    (folder / "wards.csv").write_text(WARDS, encoding="utf-8")
    named = "ward,authority,start_date,end_date\nEast,Northborough,1998,2003\nNorth,Northborough,,\n"
    (folder / "named.csv").write_text(named, encoding="utf-8")
    request = asked(study, others=(folder / "named.csv",), lookup=folder / "wards.csv")
    made = where_next_into(request, folder / "named", quiet)
    east = {i for i in range(len(CODES)) if i % COLUMNS > 5}
    assert east <= set(made.taken.tolist())  # it ended long ago: it is in the register all the same
    assert not east & {int(a) for place in made.places for a in place}
    note = "named.csv: 2 entries of other initiatives, 1 located, 12 areas in the panel. "
    read = "named.csv: 2 rows read, 2 kept, 0 left out."
    assert made.notes == (read, note + "Not located: North.")
    assert note in (folder / "named" / "where_next.html").read_text(encoding="utf-8")


def test_the_list_as_json_has_the_rows_of_its_files(
    study: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = study.parent / "json"
    words = ["where-next", str(study), "--results", str(study.parent / "results"), "--json"]
    monkeypatch.setattr("sys.argv", ["areaeffect", *words, "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["plan"]["places_of_study"] == 3
    rows = list(csv.DictReader((out / "where_next.csv").read_text(encoding="utf-8").splitlines()))
    assert [str(r["like_value"]) for r in found["where_next"]] == [r["like_value"] for r in rows]
    assert len(found["where_next_areas"]) == sum(int(r["areas"]) for r in rows)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outcome": "crimes"}, "Did you mean 'crime'?"),
        ({"results": Path("nowhere")}, "the file is missing"),
        ({"need": Path("none.toml")}, "there is no such index file"),
    ],
)
def test_a_wrong_question_is_named(study: Path, change: dict[str, Any], words: str) -> None:
    request = Request(**{"study": study, "results": study.parent / "results", **change})
    with pytest.raises(AreaEffectError) as caught:
        where_next_into(request, study.parent / "wrong", quiet)
    assert words in str(caught.value)
    assert not (study.parent / "wrong").exists()


def test_results_of_another_study_are_refused(study: Path, tmp_path: Path) -> None:
    other = write_small_study(tmp_path)
    edit(other, "A tiny study", "Another study")
    request = Request(study=other, results=study.parent / "results")
    with pytest.raises(AreaEffectError, match="results of another study"):
        where_next_into(request, tmp_path / "out", quiet)

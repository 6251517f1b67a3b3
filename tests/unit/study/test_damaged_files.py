"""Damaged files, made at random: every reader reads them or refuses them with a message.

`make soak` gives it five minutes in all; `CORPUS` keeps what it once found.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from areaeffect.assembly.assemble import assemble
from areaeffect.commands.evaluate import begin, evaluate_into
from areaeffect.document.folders import refuse_foreign
from areaeffect.errors import AreaEffectError
from areaeffect.further.stories import read_events
from areaeffect.geography.boundaries import read_boundaries
from areaeffect.periods import PeriodKind, Periods
from areaeffect.register.places import find_postcodes
from areaeffect.register.rows import read_records
from areaeffect.report.files import read_result
from areaeffect.sources.points.counting import count_points
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.study.analysis import Item, Survey
from areaeffect.study.file import read_study
from areaeffect.study.source_kinds import PointsSource
from areaeffect.survey.answers import read_answers
from areaeffect.tables.user_table import read_user_table
from areaeffect.value.costs import COLUMNS, read_costs
from tests.shared.small_study import CODES, write_small_study
from tests.shared.spreadsheets import ods
from tests.shared.street_files import month_of, put

SECONDS = float(os.environ.get("AREAEFFECT_FUZZ_SECONDS", "0"))
EXAMPLES = 100 if SECONDS else 15
#: A file that takes so many seconds is a fault of its own.
LONGEST = 90

#: What damages a file: a place in it as a share of its length, and what is done there.
Damage = tuple[float, str]
PIECES = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b",", b";", b"\t", b"\r", b"\n", b"[", b"{",
    b"]", b"}", b"-", b".", b"e", b"9" * 400, b"nan", b"inf", b"1e999", b"=1+1", b"\xe2\x80\x8b",
    b"cafe\xcc\x81", b"A" * 140_000, b"[" * 3_000, b"{" * 3_000, b"0x1", b"2013-13", b"true",
)  # fmt: skip
ACTS = ("cut", "flip", "drop line", "double line", "blank", "CR", "UTF-16", *map(str, range(len(PIECES))))
damages = st.lists(st.tuples(st.floats(0, 1), st.sampled_from(ACTS)), min_size=1, max_size=4)

#: Damage that was once answered with something else than a message, by file.
CORPUS: tuple[tuple[str, list[Damage]], ...] = (
    ("crime.csv", [(0.0, "CR")]),
    ("members.csv", [(0.5, "24")]),
    ("out/data/series.csv", [(0.5, "cut")]),
    ("out/data/series.csv", [(0.5, "5")]),
    ("points.csv", [(0.19225014760804565, "UTF-16"), (0.7469361431823475, "8")]),
    ("areas.parquet", [(6.103515625e-05, "CR")]),
    ("areas.gpkg", [(0.9784471429921295, "flip")]),
    ("out/run.json", [(0.2109830281370642, "2"), (0.6735993307325844, "10"), (0.6735993307325844, "2")]),
)


def damaged(content: bytes, how: list[Damage]) -> bytes:
    """Return content with every damage done to it in turn."""
    for share, act in how:
        at = int(share * max(0, len(content) - 1))
        if act == "cut":
            content = content[:at]
        elif act == "flip" and content:
            content = content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :]
        elif act in ("drop line", "double line", "blank"):
            lines = content.split(b"\n")
            i = int(share * (len(lines) - 1))
            new = {"drop line": [], "double line": [lines[i]] * 2, "blank": [b""]}[act]
            content = b"\n".join([*lines[:i], *new, *lines[i + 1 :]])
        elif act == "CR":
            content = content.replace(b"\n", b"\r")
        elif act == "UTF-16":
            content = content.decode("utf-8", "replace").encode("utf-16")
        elif act.isdigit():
            content = content[:at] + PIECES[int(act)] + content[at:]
    return content


def _study_readers(folder: Path) -> None:
    file = read_study(folder / "study.toml")
    assemble(file)


def _plan(folder: Path) -> None:
    begin(read_study(folder / "study.toml"), None, lambda *_: None)


def _police(folder: Path) -> None:
    shutil.rmtree(folder / "store", ignore_errors=True)
    ingest_police_uk([folder / "street.csv"], folder / "store")


def _police_zip(folder: Path) -> None:
    shutil.rmtree(folder / "store", ignore_errors=True)
    ingest_police_uk([folder / "street.zip"], folder / "store")


def _survey(folder: Path) -> None:
    item = Item(column="q", lowest=1, highest=5)
    read_answers(Survey(path="survey.csv", area="area", items=(item,)), folder, np.array(CODES))


def _points(folder: Path) -> None:
    source = PointsSource(kind="points", path="points.csv", date="date", category="kind")
    outlines = read_boundaries(folder / "areas.geojson", "area_code", np.array(CODES))
    periods = Periods(PeriodKind.MONTH, 2012 * 12, 24)
    count_points([folder / "points.csv"], source, outlines, periods)


def _boundaries(name: str) -> Callable[[Path], None]:
    return lambda folder: read_boundaries(folder / name, "area_code", np.array(CODES)) and None


def _results(folder: Path) -> None:
    read_result(folder / "out")
    refuse_foreign(folder / "out")


READERS: dict[str, Callable[[Path], None]] = {
    "study.toml": _study_readers,
    "crime.csv": _study_readers,
    "areas.csv": _plan,
    "members.csv": _study_readers,
    "areas.geojson": _study_readers,
    "survey.csv": _survey,
    "events.csv": lambda folder: read_events(folder / "events.csv", ["Abbey"]) and None,
    "costs.csv": lambda folder: read_costs(folder / "costs.csv") and None,
    "others.csv": lambda folder: read_records(folder / "others.csv") and None,
    "lookup.csv": lambda folder: find_postcodes("lookup.csv", folder, np.array(CODES), "x") and None,
    "points.csv": _points,
    "table.ods": lambda folder: read_user_table(folder / "table.ods") and None,
    "table.parquet": lambda folder: read_user_table(folder / "table.parquet") and None,
    "areas.gpkg": _boundaries("areas.gpkg"),
    "areas.zip": _boundaries("areas.zip"),
    "areas.parquet": _boundaries("areas.parquet"),
    "street.csv": _police,
    "street.zip": _police_zip,
    "out/findings.json": _results,
    "out/run.json": _results,
    "out/design.json": _results,
    "out/data/series.csv": _results,
    "out/data/map.json": _results,
    "out/manifest.json": _results,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    study = write_small_study(folder)
    put(folder, month_of("2014-01", 20), "2014-01-cleveland-street.csv")
    (folder / "2014-01-cleveland-street.csv").rename(folder / "street.csv")
    with zipfile.ZipFile(folder / "street.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "street.csv", "2014-01/2014-01-cleveland-street.csv")
    _other_inputs(folder)
    evaluate_into(study, folder / "out", 1)
    return folder


def _other_inputs(folder: Path) -> None:
    """Write one file for each further reader."""
    rows = [f"{code},{1 + i % 5}" for i, code in enumerate(CODES)]
    (folder / "survey.csv").write_text("\n".join(["area,q", *rows]) + "\n")
    (folder / "events.csv").write_text("date,neighbourhood,what\n2013-02,Abbey,opened\n2013,,a\n")
    (folder / "others.csv").write_text(f"programme,area_code,start_date\nX,{CODES[3]},31/01/2013\n")
    line = {"item": "theft", "value": "900", "price_year": "2024", "status": "own", "source": "us"}
    cells = [",".join(COLUMNS), ",".join(line.get(c, "") for c in COLUMNS)]
    (folder / "costs.csv").write_text("\n".join(cells) + "\n")
    homes = [f"TS{i} {i % 10}AA,{code}" for i, code in enumerate(CODES)]
    (folder / "lookup.csv").write_text("\n".join(["postcode,area_code", *homes]) + "\n")
    shapes = geopandas.read_file(folder / "areas.geojson")
    at = shapes.geometry.bounds
    points = [
        f"2012-0{1 + i % 9}-01,{x},{y},a" for i, (x, y) in enumerate(zip(at.minx, at.miny, strict=True))
    ]
    (folder / "points.csv").write_text("\n".join(["date,longitude,latitude,kind", *points]) + "\n")
    table = pd.read_csv(folder / "areas.csv")
    (folder / "table.ods").write_bytes(
        ods({"areas": [list(table.columns), *table.astype(str).to_numpy().tolist()]})
    )
    table.to_parquet(folder / "table.parquet")
    shapes.to_file(folder / "areas.gpkg")
    shapes.to_parquet(folder / "areas.parquet")
    with zipfile.ZipFile(folder / "areas.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "areas.geojson", "areas.geojson")


def _too_long(*_: object) -> None:
    pytest.fail(f"A small file took over {LONGEST} seconds.")


def _try(whole: Path, name: str, how: list[Damage]) -> None:
    path = whole / name
    content = path.read_bytes()
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LONGEST)
    try:
        path.write_bytes(damaged(content, how))
        with suppress(AreaEffectError, OSError):  # which the command explains
            READERS[name](whole)
    finally:
        signal.alarm(0)
        path.write_bytes(content)


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_with_a_message(whole: Path, name: str) -> None:
    end = time.monotonic() + SECONDS

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=not SECONDS,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(how=damages)
    def holds(how: list[Damage]) -> None:
        _try(whole, name, how)

    holds()
    while time.monotonic() < end:
        holds()


@pytest.mark.parametrize(("name", "how"), CORPUS)
def test_what_was_once_found_is_answered_with_a_message(whole: Path, name: str, how: list[Damage]) -> None:
    _try(whole, name, how)

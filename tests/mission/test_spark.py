"""Spark gives the store of one machine, byte for byte, on real and on generated incidents."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from areaeffect.errors import DataError
from areaeffect.sources.coverage import MeasureRequest
from areaeffect.sources.police_uk.counting import count_lake, spark_counter, start_session
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.panel import read_police
from areaeffect.study.model import PoliceUkSource
from areaeffect.study.parts import Window
from tests.shared.street_files import crime, put, street

pytest.importorskip("pyspark", reason="Spark has an environment of its own: `make spark`")

CLEVELAND = "police_uk/archive/cleveland_2023-01_2025-11.zip"
KINDS = ("Burglary", "Drugs", "Anti-social behaviour", "Vehicle crime")


@pytest.fixture(scope="module", autouse=True)
def session() -> Iterator[Any]:
    """One Spark for all tests: it takes seconds to start. Set up as a user would, from outside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", "--conf spark.sql.shuffle.partitions=4 pyspark-shell")
        found = start_session()
        assert found.conf.get("spark.sql.shuffle.partitions") == "4"
        yield found
        found.stop()


def contents(store: Path) -> dict[str, bytes]:
    files = (p for p in store.rglob("*") if p.is_file() and p.name != ".lock")
    return {p.relative_to(store).as_posix(): p.read_bytes() for p in files}


def generate(folder: Path) -> Path:
    """Thirty files of three forces: codes that cross forces, names that differ, rows without."""
    draw = random.Random(11)
    for month in (f"20{y}-{m:02d}" for y in (13, 14) for m in range(6, 11)):
        for force in ("cleveland", "durham", "northumbria"):
            rows = []
            for i in range(draw.randrange(300)):
                area = draw.choice([f"E0101195{draw.randrange(9)}", ""])
                point = ("-1.2", "54.5") if draw.random() < 0.8 else ("", "")
                row = crime(f"{i}", month, *point, area=area, kind=draw.choice(KINDS))
                rows.append(row.replace("Hartlepool 001A", draw.choice(["Å 001A", "Z 1", ""])))
            put(folder, street(*rows), f"{month}-{force}-street.csv")
    return folder


def test_generated_incidents_give_the_same_store(tmp_path: Path) -> None:
    given = generate(tmp_path / "in")
    for engine in ("duckdb", "spark"):
        ingest_police_uk([given], tmp_path / engine, engine=engine)
    assert contents(tmp_path / "spark") == contents(tmp_path / "duckdb")


def test_a_month_published_again_joins_the_forces_already_there(tmp_path: Path) -> None:
    given = generate(tmp_path / "in")
    again = put(tmp_path / "again", street(crime("new", "2013-06")), "2013-06-durham-street.csv")
    for engine in ("duckdb", "spark"):
        ingest_police_uk([given], tmp_path / engine)
        ingest_police_uk([again], tmp_path / engine, engine=engine)
    assert contents(tmp_path / "spark") == contents(tmp_path / "duckdb")


@pytest.mark.real_data
def test_cleveland_gives_the_same_store(real_data: Path, tmp_path: Path) -> None:
    for engine in ("duckdb", "spark"):
        ingest_police_uk([real_data / CLEVELAND], tmp_path / engine, engine=engine)
    spark, duck = contents(tmp_path / "spark"), contents(tmp_path / "duckdb")
    assert sum("counts/" in name for name in duck) == 35
    assert spark == duck


def test_a_study_can_name_the_engine(tmp_path: Path) -> None:
    given = generate(tmp_path / "in")
    window, wanted = Window(start="2014-06", end="2014-10"), MeasureRequest("value", ("drugs",))
    tables = [
        read_police(
            "police",
            PoliceUkSource(kind="police_uk", ingest=(str(given),), engine=engine),
            tmp_path,
            None,
            window,
            (wanted,),
            (),
        ).measures[wanted]
        for engine in ("duckdb", "spark")
    ]
    np.testing.assert_array_equal(*tables)
    assert np.nansum(tables[0]) > 100


def test_a_lake_elsewhere_is_counted_by_its_address(session: Any, tmp_path: Path) -> None:
    ingest_police_uk([generate(tmp_path / "in")], tmp_path / "store")
    address = (tmp_path / "store" / "police_uk" / "incidents").as_uri()
    found = count_lake(session, address).groupBy("month").sum("n").collect()
    with duckdb.connect() as connection:
        expected = connection.execute(
            "SELECT month, sum(n)::BIGINT FROM read_parquet($files) GROUP BY month",
            {"files": f"{tmp_path}/store/police_uk/counts/*/part.parquet"},
        ).fetchall()
    assert {m: n for m, n in found} == dict(expected)


def test_incidents_that_spark_cannot_see_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Spark could not count"), spark_counter(tmp_path / "nowhere"):
        pass

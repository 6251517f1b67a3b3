from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.document import chart_tables
from areaeffect.errors import DataError
from areaeffect.further.source_tables import HiddenNumbers
from areaeffect.report import charts, faces, files
from areaeffect.report.tables import DATA_FILES, TABLES
from areaeffect.results import Result
from tests.shared.sample_result import FORMULA, HOSTILE, sample_result

CONTRACT = set(
    [
        "initiative",
        "group",
        "neighbourhood",
        "family",
        "outcome",
        "claim",
        "form",
        "estimand",
        "unit",
        "estimate",
        "low",
        "high",
        "p_value",
        "interval",
        "n_together",
        "single",
        "p_step_down",
        "exaggeration",
        "held_back",
        "bias",
        "estimate_centred",
        "companions",
        "mde",
        "verdict",
        "maryland",
        "observed",
        "counterfactual",
        "avoided",
        "n_neighbourhoods",
        "n_areas",
        "n_benchmark_areas",
        "n_effective",
        "n_disjoint_placebos",
        "pre",
        "post",
        "sentence",
        "caveats",
    ]
)


@pytest.fixture(scope="module")
def result() -> Result:
    return sample_result(placebos=39)


@pytest.fixture(scope="module")
def folder(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("runs") / "county"
    files.write_result(result, made)
    return made


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / DATA_FILES[name]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# ---------------------------------------------------------------- there and back


def test_the_report_can_be_made_again_from_the_folder_alone(folder: Path) -> None:
    again = faces.render(files.read_result(folder))
    assert again.encode() == (folder / "annex.html").read_bytes()


def test_reading_gives_back_what_was_written(result: Result, folder: Path) -> None:
    read, held = files.read_result(folder), files.rounded(result)
    assert replace(read, shapes=()) == replace(held, shapes=())
    for one, other in zip(read.shapes, held.shapes, strict=True):
        assert one.area == other.area
        assert all(np.array_equal(a, b) for a, b in zip(one.rings, other.rings, strict=True))


def test_a_record_in_a_mapping_stays_a_record() -> None:
    hidden = {"homes": HiddenNumbers(cells=3, least=0, most=9)}
    assert files._rounded(hidden) == hidden


def test_rounding_moves_nothing_that_is_printed(result: Result) -> None:
    held = files.rounded(result)
    for before, after in zip(result.findings, held.findings, strict=True):
        if before.estimate is not None:
            assert after.estimate == pytest.approx(before.estimate, rel=1e-11)
    assert files.rounded(held).findings == held.findings


def test_writing_twice_gives_the_same_bytes(result: Result, folder: Path, tmp_path: Path) -> None:
    files.write_result(result, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(folder)


def test_a_result_that_was_read_is_written_the_same(folder: Path, tmp_path: Path) -> None:
    files.write_result(files.read_result(folder), tmp_path / "copy")
    assert contents(tmp_path / "copy") == contents(folder)


def test_rebuild_report_puts_a_lost_page_back(folder: Path, tmp_path: Path) -> None:
    _copy(folder, tmp_path / "r")
    (tmp_path / "r" / "report.html").unlink()
    assert files.rebuild_report(tmp_path / "r").read_bytes() == (folder / "report.html").read_bytes()
    assert contents(tmp_path / "r") == contents(folder)


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _copy(folder: Path, to: Path) -> None:
    for name, data in contents(folder).items():
        _put(to / name, data)


# ---------------------------------------------------------------- what the files hold


def test_findings_json_keeps_its_contract(result: Result, folder: Path) -> None:
    held = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    assert held["study"] == result.title
    assert held["seal"] == result.seal.sha256
    assert len(held["findings"]) == len(result.findings)
    for finding in held["findings"]:
        assert set(finding) >= CONTRACT
        assert finding["sentence"]


def test_every_table_has_metadata_that_names_its_columns(folder: Path) -> None:
    for path in DATA_FILES.values():
        table = folder / path
        header = table.read_text(encoding="utf-8").splitlines()[0].split(",")
        metadata = json.loads((folder / f"{path}-metadata.json").read_text(encoding="utf-8"))
        columns = metadata["tableSchema"]["columns"]
        assert metadata["url"] == table.name
        assert [column["name"] for column in columns] == header
        for column in columns:
            assert column["titles"]
            assert column["datatype"] in {"string", "number", "integer", "boolean"}
            assert column["dc:description"]


def test_cells_are_of_the_type_the_metadata_says(folder: Path) -> None:
    truth = {"true": True, "false": False}
    kinds = {"number": float, "integer": int, "boolean": truth.__getitem__, "string": str}
    for name, spec in TABLES.items():
        for row in rows_of(folder, name):
            for column in spec.columns:
                if row[column.name]:
                    kinds[column.datatype](row[column.name])


def test_the_series_file_is_what_the_trend_charts_draw(result: Result, folder: Path) -> None:
    drawn = [row for series in files.rounded(result).series for row in charts.trend_rows(series)]
    for row, text in zip(drawn, rows_of(folder, "series"), strict=True):
        assert text["period"] == row.period
        for name in ("observed", "benchmark", "observed_mean_12", "benchmark_mean_12"):
            if getattr(row, name) is None:
                assert text[name] == ""
            else:
                assert float(text[name]) == pytest.approx(getattr(row, name), rel=1e-11)


def test_numbers_have_at_most_twelve_digits(folder: Path) -> None:
    for name in DATA_FILES:
        for row in rows_of(folder, name):
            for column in TABLES[name].columns:
                if column.datatype == "number" and row[column.name]:
                    digits = re.sub(r"e.*|[-.]", "", row[column.name]).strip("0")
                    assert len(digits) <= 12


def test_files_are_utf8_with_line_feeds(folder: Path) -> None:
    for name, data in contents(folder).items():
        if name.endswith((".pdf", ".png")):
            continue
        data.decode("utf-8")
        assert b"\r" not in data
        assert data.endswith(b"\n")


def test_formulas_are_guarded_in_text_and_negative_numbers_are_left_alone(folder: Path) -> None:
    names = [row["name"] for row in rows_of(folder, "areas")]
    assert f"'{FORMULA}" in names
    assert HOSTILE in names
    assert any(row["estimate"].startswith("-") for row in rows_of(folder, "findings"))
    assert files.read_result(folder).areas[1].name == FORMULA


@given(st.text())
def test_guarding_can_be_undone(text: str) -> None:
    guarded = chart_tables.guard(text)
    assert not guarded.startswith(("=", "+", "-", "@"))
    assert chart_tables.unguard(guarded) == text


def test_no_file_holds_nan(result: Result, tmp_path: Path) -> None:
    finding = replace(result.findings[0], bias=math.nan, mde=math.inf, n_effective=float("nan"))
    series = replace(result.series[0], observed=(math.nan, *result.series[0].observed[1:]))
    odd = replace(result, findings=(finding,), series=(series,), plan={"a": math.nan, "b": (1, 2)})
    files.write_result(odd, tmp_path / "odd")
    for name, data in contents(tmp_path / "odd").items():
        assert not re.search(rb"\b(NaN|nan|Infinity|inf)\b", data), name
    again = faces.render(files.read_result(tmp_path / "odd"))
    assert again.encode() == (tmp_path / "odd" / "annex.html").read_bytes()


def test_a_folder_that_is_no_result_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        files.read_result(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'findings.json'}: the file is missing or cannot be read. "
        "Name a folder that `evaluate` wrote."
    )


@pytest.mark.parametrize("text", ["not json", "[]", "{}", '{"format": 99}'])
def test_a_broken_result_is_an_error_that_teaches(folder: Path, tmp_path: Path, text: str) -> None:
    _copy(folder, tmp_path)
    _put(tmp_path / "run.json", text.encode())
    with pytest.raises(DataError, match=r"Evaluate the study again\.$"):
        files.read_result(tmp_path)


def test_a_lost_table_is_an_error_that_teaches(folder: Path, tmp_path: Path) -> None:
    _copy(folder, tmp_path)
    (tmp_path / DATA_FILES["series"]).unlink()
    with pytest.raises(DataError, match=r"series\.csv: the table is missing or not whole"):
        files.read_result(tmp_path)

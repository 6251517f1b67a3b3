"""What every source, error and setting must keep to, whoever adds the next one."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import BaseModel

from areaeffect import errors
from areaeffect.commands.evaluate import NUMERIC
from areaeffect.errors import AreaEffectError, Problem
from areaeffect.panel import REASONS
from areaeffect.sources import panel_table
from areaeffect.sources.coverage import MeasureRequest, SourceKind, SourceTable
from areaeffect.study.model import PanelSource, Study, json_schema
from areaeffect.study.parts import NotCovered, Window
from areaeffect.study.source_kinds import SOURCE_KINDS, row_of, source_models

ROOT = Path(__file__).parents[2]

# ---------------------------------------------------------------- sources

WINDOW = Window(start="2012-01", end="2012-12")


def read_panel(folder: Path) -> SourceTable:
    """Two areas, three months, one row absent, one covariate; rows out of order."""
    path = folder / "crime.csv"
    path.write_text(
        "code,month,n,people\nB2,2012-03,4,900\nB2,2012-01,3,900\nA1,2012-03,0,800\n"
        "A1,2012-02,2,800\nA1,2012-01,1,800\n",
        encoding="utf-8",
    )
    source = PanelSource(kind="panel", path=path.name, area="code", period="month")
    return panel_table.read("crime", source, path, WINDOW, (MeasureRequest("n"),), ("people",))


@pytest.mark.parametrize("kind", SOURCE_KINDS)
def test_every_kind_of_source_has_a_model_and_a_row(kind: str) -> None:
    row = row_of(kind)
    assert isinstance(row, SourceKind)
    assert get_args(row.model.model_fields["kind"].annotation) == (kind,)
    assert row.model.__doc__
    assert source_models()[kind] is row.model


def test_a_source_returns_a_sound_table(tmp_path: Path) -> None:
    table = read_panel(tmp_path)
    n_areas = len(table.areas)
    assert table.areas.dtype.kind == "U"
    assert (table.areas[:-1] < table.areas[1:]).all()  # ascending, and none twice
    assert len(table.names) == n_areas
    n_periods = table.periods.n if table.periods else 0
    for values in (*table.measures.values(), *table.varying.values()):
        assert values.shape == (n_areas, n_periods)
        assert values.dtype == np.float64
        assert not np.isinf(values).any()
    for attribute in table.attributes.values():
        assert attribute.shape == (n_areas,)
        assert attribute.dtype.kind in "fU"
    release = table.release
    assert release.rows_kept + release.rows_rejected == release.rows_read
    assert len(release.sha256) == 64
    assert "/" not in release.file  # no path of the machine it was read on


def test_an_absent_row_is_the_only_thing_missing(tmp_path: Path) -> None:
    (values,) = read_panel(tmp_path).measures.values()
    np.testing.assert_array_equal(values, [[1, 2, 0], [3, np.nan, 4]])


# ---------------------------------------------------------------- errors

ERRORS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AreaEffectError)
]


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_has_an_exit_code_and_a_meaning(kind: type[AreaEffectError]) -> None:
    assert kind.exit_code in {2, 3, 4}
    assert kind.__doc__
    one = kind(Problem("it is wrong.", "file.csv, line 3", "Do this."))
    assert str(one) == "file.csv, line 3: it is wrong. Do this."
    assert one.problems[0].to_dict() == {
        "where": "file.csv, line 3",
        "what": "it is wrong.",
        "fix": "Do this.",
    }


def test_the_exit_codes_are_those_of_the_contract() -> None:
    codes = {kind.__name__: kind.exit_code for kind in ERRORS}
    assert codes == {"AreaEffectError": 2, "StudyError": 2, "DataError": 3, "NothingEstimableError": 4}


def test_several_problems_are_one_a_line() -> None:
    both = AreaEffectError([Problem("one."), Problem("two.", "there")])
    assert str(both) == "one.\nthere: two."


# ---------------------------------------------------------------- settings


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for inner in inner_models(field.annotation):
            yield from models(inner)


def inner_models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in get_args(annotation) for m in inner_models(part)]


MODELS = sorted(set(models(Study)), key=lambda m: m.__name__)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_every_part_of_a_study_says_what_it_is(model: type[BaseModel]) -> None:
    doc = inspect.getdoc(model)
    assert doc
    assert doc != inspect.getdoc(BaseModel)
    assert model.model_config["extra"] == "forbid"  # a typo is never silently ignored
    assert model.model_config["frozen"]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_every_key_has_a_description(model: type[BaseModel]) -> None:
    if model is Study:  # its keys are the tables, and each of them is described above
        return
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_the_reasons_of_a_study_are_those_of_the_panel() -> None:
    allowed = get_args(NotCovered.model_fields["reason"].annotation)
    assert set(allowed) <= set(REASONS)


def test_a_study_has_a_json_schema() -> None:
    schema = json_schema()
    assert set(schema["required"]) == {"study", "source", "initiative", "outcome"}
    assert "register" in schema["properties"]


# ---------------------------------------------------------------- what a run needs


@pytest.mark.parametrize("file", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda f: f.stem)
def test_every_benchmark_can_be_started(file: Path) -> None:
    if file.stem == "against_did":
        pytest.importorskip("diff_diff")
    importlib.import_module(f"benchmarks.{file.stem}")


def test_every_package_whose_version_a_run_writes_down_is_locked() -> None:
    lock = ROOT / "requirements" / "base.txt"
    locked = {line.partition("==")[0] for line in lock.read_text(encoding="utf-8").splitlines()}
    assert set(NUMERIC) <= locked

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from areaeffect.commands.diff import compare, diff
from areaeffect.document.folders import MANIFEST
from areaeffect.report import files
from areaeffect.report.faces import CRATE_FILE, SPECIFICATION
from areaeffect.results import Result, Verdict
from tests.shared.sample_result import sample_result


@pytest.fixture(scope="module")
def result() -> Result:
    return files.rounded(sample_result(placebos=19, shapes=False))


@pytest.fixture(scope="module")
def folder(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "a"
    files.write_result(result, out)
    return out


def test_a_run_does_not_differ_from_itself(folder: Path, result: Result) -> None:
    found = diff(folder, folder)
    assert found.changes == ()
    assert not any(found.causes.values())
    assert found.same == len(result.findings)


def test_a_file_that_was_edited_is_said(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "b")
    findings = tmp_path / "b" / "findings.json"
    findings.write_text(findings.read_text().replace('"verdict": "better"', '"verdict": "worse"', 1))
    found = diff(folder, tmp_path / "b")
    assert found.causes["file"] == (f"{findings}: changed after it was written",)
    assert "file: " in found.text()


def test_a_moved_number_is_said_with_what_else_moved(result: Result) -> None:
    first = replace(result.findings[0], estimate=-0.2, verdict=Verdict.CANNOT_TELL)
    release = replace(result.releases[0], sha256="ef" * 32)
    plan = {**result.plan, "analysis": {"placebos": 499, "estimators": ["counterfactual"]}}
    after = replace(
        result, findings=(first, *result.findings[1:]), plan=plan,
        releases=(release, *result.releases[1:]), versions={**result.versions, "numpy": "9.9"},
    )  # fmt: skip
    found = compare(result, after)
    assert {(c.value, c.after) for c in found.changes} == {
        ("estimate", -0.2), ("verdict", "cannot tell"),
    }  # fmt: skip
    assert found.causes["study"] == ("analysis.placebos: 19 → 499",)
    assert "crimes.parquet" in found.causes["release"][0]
    assert found.causes["code"] == ("numpy: 2.3.0 → 9.9",)
    text = found.text()
    assert "1 finding changed" in text
    assert text.startswith("1 finding changed, ")
    assert "better → cannot tell" in text.splitlines()[0]
    assert "−8.1% → −20.0% (−11.9%)" in text
    assert "any of them may have moved a number" in text
    json.dumps(found.to_dict())


def test_a_finding_of_one_run_only_is_a_change(result: Result) -> None:
    found = compare(result, replace(result, findings=result.findings[1:]))
    assert [(c.value, c.after) for c in found.changes] == [("verdict", None)]
    assert "the program itself has changed" in found.text()
    first = found.text().splitlines()[0]
    assert first.startswith(f"0 findings changed, {found.same} are the same, 1 is only in the first; every")


def test_a_source_of_one_study_only_is_one_line(result: Result) -> None:
    plans = [{"source": {name: {"kind": "panel", "path": "a.csv", "sheet": None}}} for name in ("old", "new")]
    found = compare(*(replace(result, plan=plan) for plan in plans))
    assert found.causes["study"] == ("source.old: only in the first", "source.new: only in the second")
    given = {"source": {"old": {"kind": "panel", "path": "a.csv"}}}
    assert not compare(replace(result, plan=plans[0]), replace(result, plan=given)).causes["study"]


def test_rounding_at_twelve_digits_is_no_change(result: Result) -> None:
    first = replace(result.findings[0], estimate=(result.findings[0].estimate or 0) * (1 + 1e-13))
    assert not compare(result, replace(result, findings=(first, *result.findings[1:]))).changes


# ---------------------------------------------------------------- RO-Crate 1.1


def test_the_crate_has_what_the_specification_requires(folder: Path, result: Result) -> None:
    crate = json.loads((folder / CRATE_FILE).read_text(encoding="utf-8"))
    assert crate["@context"] == f"{SPECIFICATION}/context"
    graph = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(graph) == len(crate["@graph"])
    assert all(entity.get("@type") for entity in crate["@graph"])
    descriptor = graph[CRATE_FILE]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["conformsTo"] == {"@id": SPECIFICATION}
    root = graph[descriptor["about"]["@id"]]
    assert root["@type"] == "Dataset"
    assert root["@id"].endswith("/")
    assert all(root[key] for key in ("name", "description", "datePublished", "license"))
    parts = {part["@id"] for part in root["hasPart"]}
    held = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert parts == held - {CRATE_FILE, MANIFEST}
    for name in parts:
        assert graph[name]["@type"] == "File"
        assert graph[name]["contentSize"] == str((folder / name).stat().st_size)
    named = [v["@id"] for e in crate["@graph"] for v in e.values() if isinstance(v, dict)]
    assert set(named) <= set(graph) | {SPECIFICATION}
    assert [e["sha256"] for i, e in graph.items() if i.startswith("#input-")] == [
        release.sha256 for release in result.releases
    ]


def test_a_rebuilt_report_leaves_every_byte_as_it_was(folder: Path) -> None:
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    files.rebuild_report(folder)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before

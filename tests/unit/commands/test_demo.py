"""The real example that travels with the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from areaeffect.commands.demo import copy_example
from areaeffect.study.file import read_study


@pytest.mark.parametrize("study", ["study.toml", "licensing.toml"])
def test_the_packaged_example_needs_no_file_but_its_own(tmp_path: Path, study: str) -> None:
    folder = copy_example("london", tmp_path / "london")
    file = read_study(folder / study)
    named = [f for source in file.study.source.values() for f in source.files]
    named += [str(a) for one in file.study.initiative for a in [one.areas] if a]
    named += list(file.study.register_.others)
    assert named
    assert all((folder / name).is_file() for name in named)


def test_the_packaged_example_says_where_each_file_comes_from(tmp_path: Path) -> None:
    folder = copy_example("london", tmp_path / "london")
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert [f.name for f in folder.iterdir() if f"`{f.name}`" not in readme] == ["README.md"]

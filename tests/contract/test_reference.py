"""The reference pages say what the models and the command line say, key by key."""

from __future__ import annotations

import runpy

import pytest

from tests.conftest import REPOSITORY

REFERENCE = REPOSITORY / "docs" / "reference"
MADE = runpy.run_path(str(REPOSITORY / "docs" / "make_reference.py"))
PAGES: dict[str, str] = MADE["pages"](None)


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == PAGES[name], "run `python docs/make_reference.py` and commit what it writes"


@pytest.mark.parametrize("name", ["study.md", "collection.md", "index.md"])
def test_every_key_has_a_meaning(name: str) -> None:
    keys = [line.split(" | ") for line in PAGES[name].splitlines() if line.startswith("| `")]
    assert keys
    assert not [key[0] for key in keys if not key[3].strip()]

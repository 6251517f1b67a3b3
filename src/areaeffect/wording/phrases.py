"""Phrases by language: what is said is data, when it is said is code."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from areaeffect.errors import Problem, StudyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LANGUAGES = {"en": "en-GB", "cy": "cy"}  # as studies name them, and as documents do


@cache
def phrases_of(language: str) -> Mapping[str, str]:
    """Return every phrase of a language under 'table.key'.

    Raises
    ------
    StudyError
        For a language that has no phrases.
    """
    if language not in LANGUAGES:
        what = f"there are no phrases in the language {language!r}."
        todo = f"Choose one of: {', '.join(LANGUAGES)}."
        raise StudyError(Problem(what, "language", todo))
    text = files(__package__).joinpath("languages", f"{language}.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    return MappingProxyType(
        {f"{table}.{key}": words for table, own in tables.items() for key, words in own.items()}
    )


def refuse_language(language: str, path: Path) -> None:
    """Refuse a language for the report of a collection, which is in English.

    Raises
    ------
    StudyError
        Where one is asked for.
    """
    if language not in {"", "en"}:
        what = f"the report of a collection is in English, and {language!r} was asked for."
        todo = "Evaluate its studies one by one, or set `language` under [study] of each."
        raise StudyError(Problem(what, str(path), todo))


ENGLISH = phrases_of("en")

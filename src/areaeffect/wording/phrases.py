"""The phrases of headlines and verdicts, from `phrases.toml`: what is said is data."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TABLES = tomllib.loads(files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8"))

#: Every phrase under 'table.key'.
PHRASES: Mapping[str, str] = MappingProxyType(
    {f"{table}.{key}": words for table, own in _TABLES.items() for key, words in own.items()}
)

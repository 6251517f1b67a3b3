"""Finished runs in a folder: which there are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class PublishedRun:
    """A results folder that is shown.

    Parameters
    ----------
    name : of its folder, which is its address.
    title : of its study.
    folder : where it is.
    """

    name: str
    title: str
    folder: Path


def published_runs(folder: Path | None) -> tuple[PublishedRun, ...]:
    """Return the results folders in a folder, by name; one that cannot be read is left out."""
    if folder is None or not folder.is_dir():
        return ()
    found = []
    for path in sorted(folder.glob("*/findings.json")):
        try:
            title = json.loads(path.read_text(encoding="utf-8"))["study"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        found.append(PublishedRun(path.parent.name, str(title), path.parent))
    return tuple(found)

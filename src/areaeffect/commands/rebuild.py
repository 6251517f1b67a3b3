"""`areaeffect report`: a results folder to its report, from that folder alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.report.collection_files import held_collection, rebuild_collection
from areaeffect.report.files import rebuild_report
from areaeffect.wording.phrases import refuse_language

if TYPE_CHECKING:
    from pathlib import Path


def rebuild(folder: Path, language: str = "") -> Path:
    """Rebuild the report, answers first in another language if asked; return its path.

    Raises
    ------
    StudyError
        For a language without phrases, and for one asked of a collection.
    """
    if held_collection(folder) is not None:
        refuse_language(language, folder)
        return rebuild_collection(folder)
    return rebuild_report(folder, language)

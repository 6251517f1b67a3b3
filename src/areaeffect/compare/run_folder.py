"""What one run of the web app leaves in its folder, part by part; each is whole or not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.compare.question import AREAS_FILE, STUDY_FILE, areas_csv, compose
from areaeffect.document.csv_files import json_text, write_text
from areaeffect.document.folders import RUN_FILE, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.compare.question import Question

#: Folders of a run, in the order in which they appear.
ASKED, DESIGN, POWER, ANSWER, RESULT, PARQUET, REFUSED = (
    "asked", "design", "power", "answer", "result", "parquet", "refused",
)  # fmt: skip
PAGE_FILE, DESIGN_FILE, POWER_FILE, FINDINGS_FILE, REFUSED_FILE = (
    "page.html", "design.json", "power.json", "findings.json", "refused.json",
)  # fmt: skip
#: The file that each part has when it is whole.
MARKS = {
    ASKED: STUDY_FILE,
    DESIGN: DESIGN_FILE,
    POWER: POWER_FILE,
    ANSWER: FINDINGS_FILE,
    RESULT: RUN_FILE,
    PARQUET: "findings.parquet",
    REFUSED: REFUSED_FILE,
}


def has(folder: Path, part: str) -> bool:
    """Whether a part of a run is finished."""
    return (folder / part / MARKS[part]).is_file()


def ask(base: str, question: Question, folder: Path) -> None:
    """Write the study file of a question and its areas, as a user may download them.

    Parameters
    ----------
    base : text of the base study.
    question : as `refuse_question` lets it pass.
    folder : of the run.
    """

    def write(aside: Path) -> None:
        write_text(aside / "question.json", json_text(question.to_dict(), indent=1))
        write_text(aside / STUDY_FILE, compose(base, question))
        write_text(aside / AREAS_FILE, areas_csv(question))

    if not has(folder, ASKED):
        write_whole(folder / ASKED, write)

"""A question of the web app as a study file that anyone can run again.

A *base study* is a study file whose `[[initiative]]` is left open. A question adds the areas, the
start and a few options.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import tomlkit

from areaeffect.document.chart_tables import json_text, write_text
from areaeffect.document.folders import RUN_FILE, write_whole
from areaeffect.errors import Problem, StudyError
from areaeffect.periods import parse_period
from areaeffect.records import Json
from areaeffect.study.file import StudyFile

STUDY_FILE, AREAS_FILE = "study.toml", "chosen_areas.csv"
LONGEST_NAME = 80
#: The numbers of placebo programmes, of nearest areas and of kilometres that can be asked for.
PLACEBOS, NEAREST, BUFFERS = (499, 199, 999), (60, 30, 120), (1.0, 0.5, 0.0, 2.0)
_NAME = re.compile(r"[^\W_][^\x00-\x1f\x7f\"\\]*")
_HEAD = f"""\
# Composed in the browser by areaeffect. Run it again with
#     areaeffect evaluate {STUDY_FILE} --out results
# and {AREAS_FILE} in the same folder. Data paths are those of the base study: put both
# files into its folder, or set AREAEFFECT_SHARED_DATA, or name paths of your own.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a user of the app asks of a base study."""

    areas: tuple[str, ...]  # codes of one neighbourhood, ascending and each once
    start: str  # its first period of work, written like the study's window
    name: str = "My neighbourhood"  # of the neighbourhood in print
    placebos: int = PLACEBOS[0]  # placebo programmes
    nearest: int = NEAREST[0]  # most alike areas considered for each treated one
    buffer_km: float = BUFFERS[0]  # areas nearer than this are left out of the comparison

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return asdict(self) | {"areas": list(self.areas)}

    @classmethod
    def from_dict(cls, values: Json) -> Question:
        """Return the question that `to_dict` wrote."""
        return cls(**{**values, "areas": tuple(values["areas"])})


def compose(base: str, question: Question) -> str:
    """Return the study file of a question; the same question gives the same text.

    The text of the base study is kept, comments and all, but for what the question settles and what
    is said of its atlas.
    """
    document = tomlkit.parse(base)
    title = f"{question.name}: what changed after {question.start}"
    asked = f"Did {question.name} change more after {question.start} than it would have?"
    if all(outcome.get("claim") == "level" for outcome in document["outcome"]):
        title = f"{question.name} beside places like it"
        asked = f"How does {question.name} compare with places that were like it?"
    settled: dict[str, dict[str, str | float]] = {
        "study": {"title": title, "question": asked, "exploratory": True},
        "register": {"buffer_km": question.buffer_km},
        "design": {"nearest": question.nearest},
        "analysis": {"placebos": question.placebos},
    }
    for name, keys in settled.items():
        table = document.setdefault(name, tomlkit.table())
        body, behind = table.value.body, []
        while body and body[-1][0] is None:  # blank lines, and what is said of the next table
            behind.append(body.pop()[1])
        for key, value in keys.items():
            table[key] = value
            table.value.item(key).trivia.comment = ""  # it was about the value before
        for item in reversed(behind):
            table.add(item)
    for name in ("atlas", "initiative"):
        document.pop(name, None)
    initiatives = tomlkit.aot()
    initiatives.append(tomlkit.item({"name": question.name, "areas": AREAS_FILE}))
    document["initiative"] = initiatives
    return _HEAD + tomlkit.dumps(document)


def areas_csv(question: Question) -> str:
    """Return the file of areas that belongs to a question's study."""
    rows = [f'{code},"{question.name}",{question.start}' for code in question.areas]
    return "\n".join(["area_code,neighbourhood,start_date", *rows]) + "\n"


def refuse_question(file: StudyFile, question: Question, n_known: int) -> None:
    """Refuse what a base study of so many areas cannot be asked, every fault at once by its field."""
    window, n, problems = file.study.study.window, len(question.areas), []
    if not 0 < n <= n_known // 4:
        what = f"{n} areas are too many to compare with the rest." if n else "no area is chosen."
        problems.append(Problem(what, "areas", f"Choose at most {n_known // 4}."))
    begin, first, last = (parse_period(t, window.kind) for t in (question.start, window.start, window.end))
    if begin is None or first is None or last is None or not first < begin <= last:
        what = f"'{question.start[:20]}' is not a {window.kind} after {window.start}, up to {window.end}."
        fix = f"Write it like {window.end}; leave some years before it to compare on."
        problems.append(Problem(what, "start", fix))
    if not _NAME.fullmatch(question.name) or len(question.name) > LONGEST_NAME:
        what = f"the name must begin with a letter or digit and have at most {LONGEST_NAME} signs"
        problems.append(Problem(f'{what}, none of them " or \\.', "name", "Write a shorter one."))
    if problems:
        raise StudyError(problems)


def key_of_question(base: str, question: Question, version: str, releases: Sequence[str]) -> str:
    """Return the key of a run: the same for the same question, base study, code and data."""
    content = {
        "base": hashlib.sha256(base.encode()).hexdigest(),
        "question": question.to_dict(),
        "version": version,
        "releases": list(releases),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]


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
    """Write the study file of a question and its areas into the folder of its run, as users download them."""

    def write(aside: Path) -> None:
        write_text(aside / "question.json", json_text(question.to_dict(), indent=1))
        write_text(aside / STUDY_FILE, compose(base, question))
        write_text(aside / AREAS_FILE, areas_csv(question))

    if not has(folder, ASKED):
        write_whole(folder / ASKED, write)

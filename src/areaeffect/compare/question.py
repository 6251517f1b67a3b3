"""A question of the web app as a study file that anyone can run again.

A *base study* is a study file whose `[[initiative]]` is left open. A question adds the areas, the
start and a few options. The text of the base study is kept as it is written, comments and all, so
that a reader finds in the file what the page has said; only what the question settles is changed.
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

    What a study says of its atlas is left out: no evaluation uses it.

    Parameters
    ----------
    base : text of the base study.
    question : as `refuse_question` lets it pass.
    """
    document = tomlkit.parse(base)
    document.pop("atlas", None)
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
    _set_initiative(document, {"name": question.name, "areas": AREAS_FILE})
    head = (
        "# Composed in the browser by areaeffect. Run it again with\n"
        f"#     areaeffect evaluate {STUDY_FILE} --out results\n"
        f"# and {AREAS_FILE} in the same folder. Data paths are those of the base study: put both\n"
        "# files into its folder, or set AREAEFFECT_SHARED_DATA, or name paths of your own.\n\n"
    )
    return head + tomlkit.dumps(document)


def _set_initiative(document: tomlkit.TOMLDocument, asked: dict[str, str]) -> None:
    """Put one initiative where the base study has its own, or at the end."""
    if "initiative" not in document:
        document["initiative"] = tomlkit.aot()
        document["initiative"].append(tomlkit.item(asked))
        return
    first, *others = document["initiative"]
    for _ in others:
        document["initiative"].pop()
    for key in set(first) - set(asked):
        del first[key]
    first.update(asked)  # in place: a comment behind it belongs to the table that follows


def areas_csv(question: Question) -> str:
    """Return the file of areas that belongs to a question's study."""
    rows = [f'{code},"{question.name}",{question.start}' for code in question.areas]
    return "\n".join(["area_code,neighbourhood,start_date", *rows]) + "\n"


def refuse_question(file: StudyFile, question: Question, known: Sequence[str]) -> None:
    """Refuse what a base study cannot be asked, every fault at once.

    Parameters
    ----------
    file : the base study.
    question : what is asked.
    known : codes of the base study's areas.

    Raises
    ------
    StudyError
        Each problem with the field it is about.
    """
    window = file.study.study.window
    problems = []
    here = set(known)
    unknown = [code for code in question.areas if code not in here]
    if not question.areas:
        problems.append(Problem("no area is chosen.", "areas", "Find a place and choose it."))
    if unknown:
        what = f"{len(unknown)} of {len(question.areas)} areas are not in these data"
        fix = "Take them out, or choose other data."
        problems.append(Problem(f"{what}, such as {unknown[0][:40]}.", "areas", fix))
    if len(question.areas) > len(here) // 4:
        what = f"{len(question.areas)} areas are too many to compare with the rest."
        problems.append(Problem(what, "areas", f"Choose at most {len(here) // 4}."))
    begin = parse_period(question.start, window.kind)
    first, last = (parse_period(t, window.kind) for t in (window.start, window.end))
    if begin is None or first is None or last is None or not first < begin <= last:
        what = f"'{question.start[:20]}' is not a {window.kind} after {window.start}, up to "
        fix = f"Write it like {window.end}; leave some years before it to compare on."
        problems.append(Problem(f"{what}{window.end}.", "start", fix))
    if not _NAME.fullmatch(question.name) or len(question.name) > LONGEST_NAME:
        what = f"the name must begin with a letter or digit and have at most {LONGEST_NAME} signs"
        problems.append(Problem(f'{what}, none of them " or \\.', "name", "Write a shorter one."))
    for field, allowed in (("placebos", PLACEBOS), ("nearest", NEAREST), ("buffer_km", BUFFERS)):
        value = getattr(question, field)
        if value not in allowed:
            listed = ", ".join(f"{a:g}" for a in sorted(allowed))
            problems.append(Problem(f"{value:g} is not offered.", field, f"One of {listed}."))
    if problems:
        raise StudyError(problems)


def key_of_question(base: str, question: Question, version: str, releases: Sequence[str]) -> str:
    """Return the key of a run: the same for the same question, base study, code and data.

    `releases` are the SHA-256 of every file that the base study reads.
    """
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

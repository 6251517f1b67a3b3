"""What `areaeffect multiverse` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from areaeffect.report.curve_words import joint_sentence, without_sentence

if TYPE_CHECKING:
    from areaeffect.results import Annex, Result


def as_dict(result: Result) -> dict[str, Any]:
    """Return every branch and the joint tests as plain values."""
    annex = _annex(result)
    return {
        "study": result.title,
        "seal": result.seal.sha256,
        **annex.values,
        "joint": annex.table("multiverse_joint").records(),
        "branches": annex.table("multiverse").records(),
    }


def as_text(result: Result) -> str:
    """Return one sentence a finding."""
    annex, labels = _annex(result), {f.outcome: f.label for f in result.findings}
    told = [
        joint_sentence(row, labels[row["outcome"]])
        for row in annex.table("multiverse_joint").records()
    ]
    return "\n".join([*told, *map(without_sentence, annex.values["without_branches"])])


def _annex(result: Result) -> Annex:
    annex = result.annex("multiverse")
    if annex is None:
        raise RuntimeError
    return annex

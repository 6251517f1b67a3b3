"""What `areaeffect multiverse` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from areaeffect.multiverse.curves import Together
from areaeffect.records import rows_of
from areaeffect.wording.numbers import number

if TYPE_CHECKING:
    from areaeffect.multiverse.curves import Branched
    from areaeffect.results import Annex, Result

P_DECIMALS = 3


def joint_sentence(row: Together, label: str) -> str:
    """Say what all branches of one finding give together.

    Parameters
    ----------
    row : of the table `multiverse_joint`.
    label : the outcome's name in print.
    """
    form = "ratio" if row.unit == "fraction" else "additive"
    who = f"{label[:1].upper()}{label[1:]} ({row.group})"
    if not row.n_branches:
        return f"{who}: none of {row.n_missing} branches could be computed."
    unit = "" if form == "ratio" else f" {row.unit}"
    median, lowest, highest = (number(v, form) for v in (row.median, row.lowest, row.highest))
    text = (
        f"{who}: over {row.n_branches} branches the median effect is {median}{unit}, "
        f"from {lowest} to {highest}; {row.share_below:.0%} of the branches lie below zero."
    )
    if row.n_missing:
        text += f" {row.n_missing} more could not be computed."
    if row.median_p is None:
        return text + " Too few placebo programmes went through the branches for a joint test."
    low, high = (number(v, form) for v in (row.median_low, row.median_high))
    return (
        f"{text} Of {row.n_placebos} placebo programmes put through the same branches, the "
        f"middle 95% had a median between {low} and {high}{unit}; joint p = "
        f"{row.median_p:.{P_DECIMALS}f} for the median and "
        f"{row.share_p:.{P_DECIMALS}f} for the share below zero."
    )


def without_sentence(name: str) -> str:
    """Say that a finding has no branches, because the study itself cannot estimate it."""
    return f"{name[:1].upper()}{name[1:]}: not estimable in the study itself, so without branches."


def as_dict(result: Result) -> dict[str, Any]:
    """Return every branch and the joint tests as plain values."""
    annex = _annex(result)
    return {
        "study": result.title,
        "seal": result.seal.sha256,
        **asdict(annex.found),
        "joint": annex.table("multiverse_joint").records(),
        "branches": annex.table("multiverse").records(),
    }


def as_text(result: Result) -> str:
    """Return one sentence a finding."""
    annex, labels = _annex(result), {f.outcome: f.label for f in result.findings}
    sentences = [
        joint_sentence(row, labels[row.outcome])
        for row in rows_of(annex.table("multiverse_joint"), Together)
    ]
    return "\n".join([*sentences, *map(without_sentence, annex.found.without_branches)])


def _annex(result: Result) -> Annex[Branched]:
    annex = result.annex("multiverse")
    if annex is None:
        raise RuntimeError
    return annex

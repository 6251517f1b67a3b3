"""The state of a run: what is finished, and what is going on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from areaeffect.compare.question import Question

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
ACTIVE: Final = (WAITING, RUNNING)


@dataclass(slots=True)
class Job:
    """One stage of one run while the server remembers it."""

    #: key, stage, question, atlas: what is asked
    key: str
    stage: str
    question: Question
    atlas: str
    state: str = WAITING  # waiting, running, done, failed or cancelled
    #: step, done, of: how far it is
    step: str = "waiting for its turn"
    done: int = 0
    of: int = 0
    #: what, fix: why it failed, and what to do
    what: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """The state of a run."""

    #: key, question, atlas: what was asked, of which atlas
    key: str
    question: Question
    atlas: str
    parts: tuple[str, ...]  # what is finished: design, power, answer, result, parquet
    job: Job | None  # what is going on, or went on last; None after a restart.
    position: int = 0  # how many wait before it
    looks: int | None = None  # earlier answers on this server about some of its areas; None before its own.

    @property
    def active(self) -> bool:
        """Whether something is going on."""
        return self.job is not None and self.job.state in ACTIVE

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, the same on pages and in the API."""
        job = self.job
        values: dict[str, Any] = {
            "key": self.key,
            "base": self.atlas,
            "question": self.question.to_dict(),
            "state": job.state if job else ("done" if self.parts else CANCELLED),
            "parts": list(self.parts),
            "exploratory": True,
            "earlier_answers_on_these_areas": self.looks,
        }
        if job:
            values |= {"stage": job.stage, "step": job.step, "done": job.done, "of": job.of}
            values |= {"waiting_before": self.position}
            if job.state == FAILED:
                values |= {"what": job.what, "fix": job.fix}
        return values

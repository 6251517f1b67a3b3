"""`areaeffect diff`: which findings two runs differ in, by how much, and because of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from areaeffect.records import Json
from areaeffect.report.files import read_result
from areaeffect.results import Finding, Result
from areaeffect.wording.numbers import plural

_VALUES = ("verdict", "estimate", "low", "high", "p_value", "mde", "maryland")
_EFFECTS = ("estimate", "low", "high", "mde")  # of a ratio they are fractions, printed in per cent
_RELATIVE = 1e-9  # numbers are written at 12 digits
_NOT_GIVEN = "not given"
_HASH = 12  # characters of a hash that tell two files apart


@dataclass(frozen=True, slots=True)
class Change:
    """One value of one finding in both runs; None where a run has no such finding or value."""

    finding: str
    value: str
    before: str | float | None
    after: str | float | None
    form: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two runs."""

    changes: tuple[Change, ...]  # values of findings, in the order of the first run
    causes: dict[str, tuple[str, ...]]  # what can have moved them, by kind: 'release', 'study', 'code'
    same: int  # findings whose values are equal

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return asdict(self)

    def text(self) -> str:
        """Return the difference in lines."""
        lines = [self._first()]
        for kind, own in self.causes.items():
            lines += [f"{kind}: {text}" for text in own]
        if self.changes and not any(self.causes.values()):
            lines.append("Releases, study and versions are equal: the program itself has changed.")
        elif sum(bool(own) for own in self.causes.values()) > 1:
            lines.append("More than one kind differs: any of them may have moved a number.")
        verdicts = sorted(self.changes, key=lambda c: c.value != "verdict")
        return "\n".join([*lines, *(_line(change) for change in verdicts)])

    def _first(self) -> str:
        """Say in one sentence how much differs."""
        if not self.changes:
            return f"Nothing changed: all {plural(self.same, 'finding')} are the same."
        alone = Counter(run for c in self.changes if (run := _alone(c)))
        both = [c for c in self.changes if not _alone(c)]
        changed = len({c.finding for c in both})
        text = f"{plural(changed, 'finding')} changed, {self.same} are the same"
        if alone:
            text += "".join(f", {n} {'is' if n == 1 else 'are'} {run}" for run, n in sorted(alone.items()))
        verdicts = [_line(c) for c in both if c.value == "verdict"]
        if not verdicts:
            return f"{text}; every verdict that both have is the same." if self.same + changed else f"{text}."
        more = f", and {len(verdicts) - 1} more" if len(verdicts) > 1 else ""
        return f"{text}; {plural(len(verdicts), 'verdict')} changed ({verdicts[0]}{more})."


def diff(before: Path, after: Path) -> Difference:
    """Compare two results folders.

    Raises
    ------
    DataError
        Where a folder cannot be read.
    """
    return compare(read_result(before), read_result(after))


def compare(before: Result, after: Result) -> Difference:
    """Compare two results, finding by finding."""
    old, new = _keyed(before), _keyed(after)
    changes: list[Change] = []
    same = 0
    for name in dict.fromkeys([*old, *new]):
        own = _changes(name, old.get(name), new.get(name))
        same += not own
        changes += own
    causes = {
        "release": tuple(_sorted_changes(_releases(before), _releases(after))),
        "study": _study_changes(before.plan, after.plan),
        "code": tuple(_sorted_changes(before.versions, after.versions)),
    }
    return Difference(tuple(changes), causes, same)


def _alone(change: Change) -> str:
    """Return in which run alone a finding is; empty where both have it."""
    if change.value != "verdict" or None not in (change.before, change.after):
        return ""
    return "only in the second" if change.before is None else "only in the first"


def _study_changes(old: Json, new: Json) -> tuple[str, ...]:
    """Say which keys differ; of a source that one study alone has, no more than that."""
    sources = [set(plan.get("source") or {}) for plan in (old, new)]
    moved = [f"source.{name}: only in the first" for name in sorted(sources[0] - sources[1])]
    moved += [f"source.{name}: only in the second" for name in sorted(sources[1] - sources[0])]
    shared = sources[0] & sources[1]
    kept = [
        plan | {"source": {k: v for k, v in (plan.get("source") or {}).items() if k in shared}}
        for plan in (old, new)
    ]
    before, after = ({k: v for k, v in _leaves(p).items() if v != _NOT_GIVEN} for p in kept)
    return (*moved, *_sorted_changes(before, after, _NOT_GIVEN))


def _keyed(result: Result) -> dict[str, Finding]:
    made = {}
    for f in result.every_finding:
        parts = (f.group, f.neighbourhood, f.outcome or f.family, f.claim, f.form)
        made[", ".join(part for part in parts if part)] = f
    return made


def _changes(name: str, old: Finding | None, new: Finding | None) -> list[Change]:
    if old is None or new is None:
        own = old or new
        verdict = str(own.verdict) if own else None
        form = own.form if own else ""
        return [Change(name, "verdict", verdict if old else None, verdict if new else None, form)]
    made = []
    for value in _VALUES:
        a, b = (getattr(f, value) for f in (old, new))
        if not _equal(a, b):
            a, b = (str(v) if value == "verdict" else v for v in (a, b))
            made.append(Change(name, value, a, b, new.form))
    return made


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= _RELATIVE * max(abs(a), abs(b))
    return bool(a == b)


def _releases(result: Result) -> dict[str, str]:
    return {f"{r.source}, {r.file}": f"{r.sha256[:_HASH]}…" for r in result.releases}


def _leaves(value: Any, name: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        items = {str(i): item for i, item in enumerate(value, 1)}.items()
    else:
        return {name: _NOT_GIVEN if value is None else str(value)}
    return {k: v for key, own in items for k, v in _leaves(own, f"{name}.{key}".strip(".")).items()}


def _sorted_changes(old: Mapping[str, str], new: Mapping[str, str], absent: str = "not there") -> list[str]:
    return [
        f"{name}: {old.get(name, absent)} → {new.get(name, absent)}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _line(change: Change) -> str:
    a, b = change.before, change.after
    if alone := _alone(change):
        return f"{change.finding}: {alone} ({a or b})"
    in_percent = change.form == "ratio" and change.value in _EFFECTS

    def shown(value: str | float | None, sign: str = "") -> str:
        if value is None:
            return "none"
        if not isinstance(value, float):
            return str(value)
        text = f"{100 * value:{sign}.1f}%" if in_percent else f"{value:{sign}.4g}"
        return text.replace("-", "−")

    moved = f" ({shown(b - a, '+')})" if isinstance(a, float) and isinstance(b, float) else ""
    return f"{change.finding}: {change.value} {shown(a)} → {shown(b)}{moved}"

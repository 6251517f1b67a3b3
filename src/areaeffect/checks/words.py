"""Sentences about checks: what each says of a finding, from its numbers and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from areaeffect.wording.numbers import known, number, plural, three_digits

if TYPE_CHECKING:
    from collections.abc import Callable

SMALLEST_P = 0.001
WARNS, HOLDS, INFORMATION, NOT_ESTIMABLE = "warns", "holds", "for information", "not estimable"
SYMBOLS = {WARNS: "▲", INFORMATION: "○", HOLDS: "●", NOT_ESTIMABLE: "–"}

Numbers = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a check says of one finding, in numbers and in one sentence."""

    group: str
    outcome: str
    label: str
    claim: str
    form: str
    status: str
    numbers: dict[str, float | int | str | None]
    why: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One check: what it asks, and what it says of each finding it concerns."""

    name: str
    title: str
    question: str
    status: str
    why: str
    findings: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """Every check of a study, in the order of the registry."""

    checks: tuple[Tried, ...]


def reason(check: str, answer: Said) -> str:
    """Return one sentence: what a check says of one finding, or why it can say nothing."""
    if answer.status == NOT_ESTIMABLE:
        return f"Not estimable: {answer.why}."
    return REASONS[check](answer, answer.numbers)


def caveat(check: Tried, answer: Said) -> str:
    """Return the line that a finding carries where a check warns of it."""
    return f"The check ‘{check.title}’ warns: {answer.reason}"


def summary(check: Tried, *, example: bool = True) -> str:
    """Return one sentence on a check over all the findings it concerns, and an example of it."""
    answers = check.findings
    if not answers:
        return f"Not estimable: {check.why}."
    tried = [a for a in answers if a.status != NOT_ESTIMABLE]
    warned = [a for a in tried if a.status == WARNS]
    if not tried:
        reasons = dict.fromkeys(a.why for a in answers)
        return f"Not estimable: {'; '.join(reasons)}."
    told = [a for a in tried if a.status == INFORMATION]
    if told and not warned:
        few = f"{len(told)} of {plural(len(tried), 'finding')}"
        return f"No warning, but weak for {few}{_first(told, example)}"
    if not warned:
        which = "the one finding" if len(tried) == 1 else f"all {len(tried)} findings"
        return f"Holds for {which} it could try{_first(tried, example)}"
    return f"Warns of {len(warned)} of {plural(len(tried), 'finding')}{_first(warned, example)}"


def effect(value: float | None, form: str) -> str:
    """Write an effect with its sign; finer scales get the decimals they need."""
    finite = known(value)
    if form == "ratio" or finite is None:
        return number(finite, form)
    decimals = 1 if abs(finite) >= 1 or finite == 0 else 3
    return number(finite, form, decimals)


def p_words(value: float) -> str:
    """Write a p-value."""
    return f"under {SMALLEST_P}" if value < SMALLEST_P else f"{value:.3f}"


def _first(answers: list[Said], example: bool) -> str:
    if not example:
        return "."
    chosen = answers[0]
    lead = " For example" if len(answers) > 1 else " For"
    group = f", {chosen.group}" if len({a.group for a in answers}) > 1 else ""
    return f".{lead} {chosen.label}{group}: {chosen.reason}"


def _span(answer: Said, n: Numbers, low: str = "low", high: str = "high") -> str:
    ends = [
        "no end found" if known(n[end]) is None else effect(n[end], answer.form)
        for end in (low, high)
    ]
    return f"{ends[0]} to {ends[1]}"


def _held_out(a: Said, n: Numbers) -> str:
    gap = effect(n["gap"], a.form)
    tail = f"95% placebo interval {_span(a, n)}, p {p_words(n['p_value'])}"
    if a.status == WARNS:
        return f"before anything was done the gap in the held-out span was already {gap} ({tail})."
    return f"the gap in the held-out span was {gap} ({tail})."


def _leads(a: Said, n: Numbers) -> str:
    text = f"the {n['n_leads']} leads together have placebo p {p_words(n['joint_p'])}; "
    if n["n_leads"] == 1:
        text = f"the one lead has placebo p {p_words(n['joint_p'])}; "
    text += (
        "if the places went on drifting each year as far as in the held-out span, the effect "
        f"would lie in {_span(a, n, 'low_at_1', 'high_at_1')}"
    )
    if n["stands_all"]:
        return f"{text}; zero stays out at twenty times that drift."
    if n["breakdown"] == 0:
        return f"{text}; measured from the held-out span the interval holds zero without any drift."
    return f"{text}; zero comes in at {n['breakdown']:.2f} times that drift."


def _earlier(a: Said, n: Numbers) -> str:
    spans = "year" if n["dated"] else "third of the history"
    early = plural(n["worst"], spans) if n["dated"] else f"{n['worst']} × a {spans}"
    found = effect(n["estimate"], a.form)
    if n["starts"] == 1:
        done = "in time when nothing was done"
        return f"a start pretended {early} early gives {found} {done} (p {p_words(n['p_value'])})."
    return (
        f"of {plural(n['starts'], 'pretended start')} the one {early} early stands out most: "
        f"{found} in years when nothing was done (placebo p {p_words(n['p_value'])}, "
        f"{p_words(n['p_adjusted'])} for all of them)."
    )


def _rings(a: Said, n: Numbers) -> str:
    where = f"{n['from_km']:g} to {n['to_km']:g} km away"
    found = f"{effect(n['estimate'], a.form)} (95% placebo interval {_span(a, n)}"
    found += f", p {p_words(n['p_adjusted'])} for {plural(n['rings'], 'ring')})"
    if a.status == WARNS:
        how = "the same way" if n["direction"] == "same" else "the other way"
        return f"places {where} moved {how}: {found}."
    return f"of the rings the one {where} stands out most: {found}."


def _leave_out(a: Said, n: Numbers) -> str:
    between = f"{effect(n['smallest'], a.form)} and {effect(n['largest'], a.form)}"
    text = f"without any one of {plural(n['neighbourhoods'], 'neighbourhood')} it is between "
    if a.status == WARNS:
        turns = "would make it read otherwise"
        which = f"leaving out {n['name']} (then {effect(n['estimate'], a.form)}) {turns}"
        more = f", and so would {n['turning'] - 1} more" if n["turning"] > 1 else ""
        return f"{which}{more}; {text}{between}."
    return f"{text}{between}, and reads the same."


def _leave_area_out(a: Said, n: Numbers) -> str:
    between = f"{effect(n['smallest'], a.form)} and {effect(n['largest'], a.form)}"
    text = f"without any one of the {plural(n['areas'], 'heaviest benchmark area')} it is between "
    if a.status == WARNS:
        which = (
            f"without {n['name']} (then {effect(n['estimate'], a.form)}) it would read otherwise"
        )
        more = f", and so it would without {n['turning'] - 1} more" if n["turning"] > 1 else ""
        return f"{which}{more}; {text}{between}."
    return f"{text}{between}, and reads the same."


def _unmoved(a: Said, n: Numbers) -> str:
    found = effect(n["estimate"], a.form)
    tail = f"95% placebo interval {_span(a, n)}, p {p_words(n['p_value'])}"
    if a.status == WARNS:
        return f"it came out {found} although it should not move ({tail})."
    return f"it came out {found}, with zero inside ({tail})."


def _treated_benchmark(a: Said, n: Numbers) -> str:
    heavy = plural(n["five"], "heaviest benchmark area")
    same = "differed in the same way" if a.claim == "level" else "had the same effect"
    text = (
        f"if the {heavy} ({100 * n['share']:.0f}% of what is expected) had {same}, "
        f"it would be {effect(n['estimate'], a.form)}"
    )
    if n["changed_by"] is None:
        text += f"; no number of treated benchmark areas makes ‘{n['verdict']}’ another verdict"
    else:
        then = f"‘{n['verdict_then']}’ with {plural(n['changed_by'], 'treated benchmark area')}"
        text += f"; ‘{n['verdict']}’ becomes {then}"
    if n["change_needed"] is not None:
        over = number(abs(n["change_needed"]), "ratio", 0)
        side = "above" if n["change_needed"] > 0 else "below"
        text += f"; to make up the whole difference they would have to stand {over} {side} "
        text += "what was to be expected of them"
    return f"{text}."


def _contamination(_a: Said, n: Numbers) -> str:
    share = f"{100 * n['share']:.1f}% of the weight"
    text = f"{plural(n['reached'], 'benchmark area')} with {share} lie in, near or next to one of "
    text += f"{plural(n['known'], 'area')} of other initiatives"
    return f"{text}." if n["with_boundaries"] else f"{text} (without boundaries, only in one)."


def _mean_reversion(a: Said, n: Numbers) -> str:
    parts = []
    for kind, words in (("level", "a high level"), ("rise", "a recent rise")):
        if f"bias_{kind}" in n:
            bias = effect(n[f"bias_{kind}"], a.form)
            own = f"{n[f'percentile_{kind}']:.0f}"
            share = f"{100 * n[f'share_{kind}']:.0f}%"
            parts.append(
                f"in the worst {share} by {words}, {bias} (the real places: percentile {own})"
            )
    return f"on placebo programmes the design finds: {'; '.join(parts)}."


def _placement(a: Said, n: Numbers) -> str:
    real, usual = (three_digits(n[key]) for key in ("real", "placebo_median"))
    text = f"{n['feature'].replace('_', ' ')} is {real}, against a placebo median of {usual}"
    rank = f"p {p_words(n['p_value'])}, {p_words(n['joint_p'])} for all features"
    if a.status == WARNS:
        few = f"few placebo programmes are placed so: {text} ({rank})"
        if "tilt" not in n:
            return f"{few}."
        times = three_digits(n["tilt"])
        return f"{few}; placement {times} times as likely where changes are as large would undo it."
    return f"least like the placebo programmes in {text} ({rank})."


REASONS: Mapping[str, Callable[[Said, Numbers], str]] = {
    "held_out": _held_out,
    "leads": _leads,
    "earlier": _earlier,
    "rings": _rings,
    "leave_out": _leave_out,
    "leave_area_out": _leave_area_out,
    "unmoved": _unmoved,
    "treated_benchmark": _treated_benchmark,
    "contamination": _contamination,
    "mean_reversion": _mean_reversion,
    "placement": _placement,
}

"""The answer to each finding in at most thirty words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from areaeffect.results import AreaStatus, Finding, PlaceboDraws, Verdict
from areaeffect.wording.numbers import (
    NOT_ESTIMABLE,
    PHRASES,
    amounts,
    direction,
    interval,
    is_count,
    known,
    noun,
    percent,
    phrase,
    plural,
    size,
    total,
)
from areaeffect.wording.sentences import compared, group_title, main_findings, name_of, reason

HEADLINE_WORDS = 30


def verdict_name(verdict: Verdict) -> str:
    """Return a verdict as it is printed beside its symbol."""
    return PHRASES[f"verdict.{verdict.name.lower()}"]


def headline(finding: Finding) -> str:
    """Return the answer in at most 30 words: direction, size, interval, what would have been.

    Parts are left out from the end where a long label would make it longer.
    """
    keys, values = _options(finding)
    options = [PHRASES[f"headline.{key}"].format(**values) for key in keys]
    if values.get("instead"):
        options.append(PHRASES[f"headline.{keys[0]}"].format(**values | {"instead": ""}))
    fits = [text for text in options if len(text.split()) <= HEADLINE_WORDS]
    return fits[0] if fits else options[-1]


def overall(findings: Sequence[Finding]) -> str:
    """Count the families of one group by verdict, in one sentence.

    A family whose outcomes have different verdicts counts as mixed.
    """
    main = main_findings(findings)
    if not main:
        return PHRASES["overall.none"]
    verdicts: dict[str, set[Verdict]] = {}
    for finding in main:
        verdicts.setdefault(finding.family, set()).add(finding.verdict)
    count = Counter(next(iter(v)) if len(v) == 1 else None for v in verdicts.values())
    kinds = {
        "better": Verdict.BETTER,
        "worse": Verdict.WORSE,
        "little_difference": Verdict.LITTLE_DIFFERENCE,
        "higher": Verdict.HIGHER,
        "lower": Verdict.LOWER,
        "alike": Verdict.ALIKE,
        "mixed": None,
        "cannot_tell": Verdict.CANNOT_TELL,
        "described": Verdict.DESCRIBED,
        "not_estimable": Verdict.NOT_ESTIMABLE,
    }
    parts = [PHRASES[f"overall.{name}"].format(n=count[key]) for name, key in kinds.items() if count[key]]
    whole = PHRASES["overall.one" if len(verdicts) == 1 else "overall.many"]
    text = whole.format(families=len(verdicts), counts=", ".join(parts))
    level = len({f.family for f in main if f.claim == "level"})
    if level:
        text += PHRASES["overall.level_one" if level == 1 else "overall.level_many"].format(n=level)
    return text


def _options(finding: Finding) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the patterns that fit a finding, the fullest first, and what goes into them."""
    values = {"name": name_of(finding), "level": percent(finding.level)}
    if known(finding.estimate) is None:
        return ("not_estimable", "not_estimable_short"), values | {"reason": reason(finding)}
    values["interval"] = interval(finding.low, finding.high, finding)
    if finding.held_back and finding.verdict is Verdict.CANNOT_TELL:
        return ("held_back", "held_back_short"), values | {"why": finding.held_back}
    if finding.verdict is Verdict.CANNOT_TELL:
        kind = "level" if finding.claim == "level" else "change"
        values |= {"effect": PHRASES[f"headline.effect_{kind}"], "mde": size(finding.mde, finding, unit=True)}
        return ("cannot_tell", "cannot_tell_short", "cannot_tell_bare"), values
    values |= {"compared": compared(finding), "instead": _instead(finding)}
    if finding.is_one_place and finding.verdict in {Verdict.BETTER, Verdict.WORSE}:
        return ("one_place",), values | {"verdict": verdict_name(finding.verdict)}
    little = finding.verdict in {Verdict.LITTLE_DIFFERENCE, Verdict.ALIKE}
    return ("little_difference" if little else "differs",), values


def _instead(finding: Finding) -> str:
    both = amounts(finding)
    if both is None:
        return ""
    observed = total(both[0], finding) + noun(finding)
    key = "headline.instead" if is_count(finding) else "headline.instead_mean"
    return PHRASES[key].format(observed=observed, expected=total(both[1], finding))


def chart_title(finding: Finding) -> str:
    """Return what a chart of this finding shows, in about ten words."""
    label = name_of(finding)
    where = finding.neighbourhood or group_title(finding.group)
    if known(finding.estimate) is None:
        return f"{label}: {NOT_ESTIMABLE}, {where}"
    word = direction(finding.estimate, finding)
    amount = size(finding.estimate, finding, unit=True)
    beside = {"level": "in benchmark areas", "contrast": "in other initiatives"}.get(
        finding.claim, "expected"
    )
    size_words = f"{amount} {word} than {beside}" if word else f"no higher and no lower than {beside}"
    if finding.verdict is Verdict.CANNOT_TELL:
        return f"{label}: the data cannot tell, {where}"
    if finding.verdict in {Verdict.LITTLE_DIFFERENCE, Verdict.ALIKE}:
        return f"{label}: little difference, {size_words}, {where}"
    return f"{label}: {size_words}, {where}"


def placebo_title(finding: Finding, draws: PlaceboDraws) -> str:
    """Return how many placebo programmes lie at least as far from zero as this finding."""
    own = known(finding.estimate)
    values = [abs(v) for e in draws.estimates if (v := known(e)) is not None]
    label = name_of(finding)
    if own is None:
        return f"{label}: {plural(len(values), 'placebo programme')}"
    as_far = sum(v >= abs(own) for v in values)
    return phrase(
        f"annex.placebo_{'some' if as_far else 'none'}", label=label, n=f"{as_far:,}", of=f"{len(values):,}"
    )


def effects_title(group: str, findings: Sequence[Finding]) -> str:
    """Return what the chart of all findings of a group shows: how far each is from what."""
    claims = dict.fromkeys(f.claim for f in findings)
    beside = " or ".join(PHRASES[f"meaning.beside_{claim}"] for claim in claims)
    return phrase("annex.effects_title", group=group_title(group), beside=beside)


def balance_title(over: int, characteristics: int, limit: float, claim: str) -> str:
    """Return how many characteristics stay apart after weighting."""
    return PHRASES["annex.balance_title"].format(over=over, among=characteristics, limit=limit, claim=claim)


def map_title(areas: Iterable[AreaStatus]) -> str:
    """Return how many areas are treated, compared with, and neither."""
    count = Counter(area.role for area in areas)
    rest = count.total() - count["treated"] - count["benchmark"]
    treated = plural(count["treated"], "treated area")
    return f"{treated}, {plural(count['benchmark'], 'benchmark area')} and {rest:,} others"

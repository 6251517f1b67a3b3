"""Whole sentences about a finding, and the headlines and titles over them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from areaeffect.outcomes import FAMILIES
from areaeffect.results import ALL_INITIATIVES, AreaStatus, Finding, PlaceboDraws, Verdict
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

NO_ANSWER = frozenset({Verdict.CANNOT_TELL, Verdict.NOT_ESTIMABLE})
LITTLE = frozenset({Verdict.LITTLE_DIFFERENCE, Verdict.ALIKE})
MDE_POWER = 0.8  # the power at which `Finding.mde` is defined

#: How a caveat begins that a check gave.
CHECK_WARNS = "The check "
RECORDED = frozenset({"crime", "antisocial_behaviour", "criminal_damage"})


def reason(finding: Finding) -> str:
    """Return why a finding could not be estimated, without a full stop."""
    return finding.caveats[0].rstrip(". ") if finding.caveats else "no reason was recorded"


def sentence(finding: Finding) -> str:
    """Return the full account of a finding: who, what, how much, how sure, against what.

    Raises
    ------
    ValueError
        Where the estimate and the avoided incidents contradict each other in sign: no
        sentence can be true of both.
    """
    if known(finding.estimate) is None:
        return phrase("whole.none", who=_who(finding), label=finding.label, why=reason(finding))
    parts = [_estimate_sentence(finding), _interval_sentence(finding), _verdict_sentence(finding)]
    parts += [_amounts_sentence(finding), _mde_sentence(finding)]
    return " ".join(part for part in parts if part)


def can_say(finding: Finding) -> list[str]:
    """Return what the finding supports, in short plain sentences."""
    label, where = name_of(finding), _where(finding)
    if known(finding.estimate) is None:
        return [phrase("can.not_estimable", label=label)]
    span = interval(finding.low, finding.high, finding)
    if finding.verdict in NO_ANSWER:
        why = f": {finding.held_back}" if finding.held_back else ""
        return [phrase("can.cannot_tell", label=label, span=span, why=why)]
    if finding.verdict is Verdict.DESCRIBED:
        return [phrase("can.described", label=label, span=span)]
    if finding.verdict in LITTLE:
        limit = size(finding.threshold, finding, unit=True)
        return [phrase("can.little", label=label, where=where, limit=limit)]
    return [phrase(f"can.{finding.claim}", label=label, word=_word(finding), where=where, span=span)]


def cannot_say(finding: Finding) -> list[str]:
    """Return what goes beyond the finding, each with the reason, for a list under such a title."""
    level = finding.claim == "level"
    if known(finding.estimate) is None:
        return [PHRASES["cannot.not_estimable"]]
    key = ""
    if finding.verdict in NO_ANSWER:
        key = "cannot_tell"
    elif finding.verdict in LITTLE:
        key = "little_level" if level else "little"
    elif finding.verdict is Verdict.DESCRIBED:
        key = "described"
    elif not level:
        key = "one_place" if finding.is_one_place else "each"
    said = [phrase(f"cannot.{key}", verdict=finding.verdict)] if key else []
    said.append(PHRASES["cannot.caused" if level else "cannot.elsewhere"])
    return [*said, PHRASES["cannot.recorded"]] if finding.family in RECORDED else said


def main_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that carry a report.

    Whole groups with an outcome, primary (all, where none is), and of the two forms of one
    outcome and claim the ratio.
    """
    whole = [f for f in findings if f.neighbourhood is None and f.outcome]
    ratios = {_kind(f) for f in whole if f.form == "ratio"}
    leading = [f for f in whole if f.form == "ratio" or _kind(f) not in ratios]
    return [f for f in leading if f.primary] or leading


def additive_companion(finding: Finding, findings: Iterable[Finding]) -> Finding | None:
    """Return the additive form of a ratio finding, where there is one."""
    if finding.form != "ratio":
        return None
    same = (f for f in findings if f.form == "additive" and _kind(f) == _kind(finding))
    return next((f for f in same if f.neighbourhood == finding.neighbourhood), None)


def name_of(finding: Finding) -> str:
    """Return the name of a finding's outcome as it begins a line."""
    return finding.label[:1].upper() + finding.label[1:]


def group_title(group: str) -> str:
    """Return how a group is named in print."""
    return "All initiatives together" if group == ALL_INITIATIVES else group


def family_title(family: str) -> str:
    """Return how a family is named in print."""
    return FAMILIES[family].title if family in FAMILIES else family.replace("_", " ").capitalize()


def _kind(finding: Finding) -> tuple[str, str, str, str]:
    return finding.initiative, finding.group, finding.outcome, finding.claim


def _who(finding: Finding) -> str:
    place = f"{finding.neighbourhood}, " if finding.neighbourhood is not None else ""
    units = plural(finding.n_neighbourhoods, "neighbourhood")
    return f"{place}{group_title(finding.group)} ({units}, {plural(finding.n_areas, 'area')})"


def _where(finding: Finding) -> str:
    return f" in {finding.neighbourhood}" if finding.neighbourhood is not None else " in these neighbourhoods"


def _word(finding: Finding) -> str:
    return direction(finding.estimate, finding) or "no higher and no lower"


def compared(finding: Finding) -> str:
    """Write '20.1% lower than would have been expected', and its level and zero forms."""
    word = direction(finding.estimate, finding)
    key = f"compared.{finding.claim}" + ("" if word else "_none")
    amount = size(finding.estimate, finding, unit=True)
    return PHRASES[key].format(amount=amount, word=PHRASES[f"word.{word}"] if word else "")


def _estimate_sentence(finding: Finding) -> str:
    benchmark = "benchmark areas"
    if finding.n_benchmark_areas is not None:
        benchmark = plural(finding.n_benchmark_areas, "benchmark area")
    head = f"{_who(finding)}: {finding.label},"
    if finding.claim == "level":
        when = f" over {finding.post}" if finding.post else ""
        beside = compared(finding).replace("the benchmark areas", benchmark)
        return f"{head} {beside}{when}; {PHRASES['whole.level']}."
    spans = f" over {finding.post}" if finding.post else ""
    spans += f", compared with {finding.pre}" if finding.pre else ""
    spans += PHRASES["whole.own_start"] if _overlap(finding) else ""
    if finding.claim == "contrast":
        return f"{head} {compared(finding)} ({benchmark} in all){spans}."
    return f"{head} {compared(finding)} from {benchmark}{spans}."


def _overlap(finding: Finding) -> bool:
    """Say whether the periods before and after overlap, as they do where starts differ."""
    last, first = finding.pre.split(" to ")[-1], finding.post.split(" to ")[0]
    dated = all(re.match(r"\d{4}", text) for text in (last, first))
    return dated and len(last) == len(first) and last >= first


def _interval_sentence(finding: Finding) -> str:
    span = interval(finding.low, finding.high, finding)
    how = "two-sided"
    if finding.n_together > 1:
        how += f", for {finding.n_together} outcomes at once"
    if finding.placebos is not None:
        how += f", {plural(finding.placebos, 'placebo programme')}"
        if finding.n_disjoint_placebos is not None:
            how += phrase("whole.apart", n=f"{finding.n_disjoint_placebos:,}")
    verb = "is" if span == NOT_ESTIMABLE else "runs"
    return f"The {percent(finding.level)} placebo interval ({how}) {verb} {span}."


def _verdict_sentence(finding: Finding) -> str:
    if finding.held_back and finding.verdict is Verdict.CANNOT_TELL:
        return phrase("whole.held_back", why=finding.held_back)
    if finding.is_one_place and finding.verdict in {Verdict.BETTER, Verdict.WORSE}:
        return phrase("whole.one_place", verdict=finding.verdict)
    return ""


def _amounts_sentence(finding: Finding) -> str:
    both = amounts(finding)
    if both is None:
        return ""
    text = f"Observed: {total(both[0], finding)}{noun(finding)}"
    if finding.claim == "level":
        return f"{text}; benchmark areas: {total(both[1], finding)}."
    text += f"; expected: {total(both[1], finding)}"
    avoided = known(finding.avoided)
    if avoided is None or not is_count(finding):
        return f"{text}."
    _refuse_contradiction(finding, avoided)
    word = "avoided" if avoided >= 0 else "more than expected"
    return f"{text}; {total(abs(avoided), finding)} {word}."


def _refuse_contradiction(finding: Finding, avoided: float) -> None:
    shown = total(abs(avoided), finding) != "0" and direction(finding.estimate, finding)
    if shown and known(finding.estimate) is not None and (finding.estimate or 0.0) * avoided > 0:
        what = f"{finding.group}, {finding.outcome}: {finding.estimate}, {avoided} avoided"
        raise ValueError(what + " contradict each other in sign")


def _mde_sentence(finding: Finding) -> str:
    what = "difference" if finding.claim == "level" else "effect"
    power = percent(MDE_POWER)
    if known(finding.mde) is None:
        return phrase("whole.no_mde", what=what)
    smallest = size(finding.mde, finding, unit=True)
    return phrase("whole.mde", what=what, power=power, smallest=smallest)


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

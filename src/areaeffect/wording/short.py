"""Short words: one sentence to quote, and what a page for residents says of a neighbourhood."""

from __future__ import annotations

import re
from calendar import month_name
from collections import Counter
from collections.abc import Sequence

from areaeffect.results import ALL_INITIATIVES, Finding, Verdict
from areaeffect.wording.numbers import (
    PHRASES,
    amounts,
    interval,
    is_count,
    known,
    noun,
    percent,
    plural,
    size,
    total,
)
from areaeffect.wording.sentences import (
    LITTLE,
    NO_ANSWER,
    compared,
    group_title,
    main_findings,
    name_of,
    overall,
    reason,
)

_HUNDRED = 100


def quote(findings: Sequence[Finding]) -> str:
    """Return one sentence over the findings of a group: what its only one shows, or the counts."""
    main = main_findings(findings)
    if not main:
        return overall(findings)
    first = main[0]
    n, places = len(main), plural(first.n_neighbourhoods, "neighbourhood")
    one_place = "_one" if first.n_neighbourhoods == 1 else ""
    key = "quote.where_all" if first.group == ALL_INITIATIVES else f"quote.where{one_place}"
    where = PHRASES[key].format(neighbourhoods=places, group=group_title(first.group))
    if n == 1:
        return f"{_one(first, where)}."
    kinds: dict[Verdict, dict[str, None]] = {}
    for f in main:
        kinds.setdefault(f.verdict, {})[name_of(f)] = None
    parts = [
        PHRASES[f"quote.{verdict.name.lower()}"].format(
            share=f"all {n} outcomes" if len(own) == n else f"{len(own)} of {n} outcomes",
            was="was" if len(own) == 1 else "were",
            names=listed(tuple(own)),
        )
        for verdict in Verdict
        if (own := kinds.get(verdict))
    ]
    return f"{where}{'. '.join([parts[0], *map(_capital, parts[1:])])}."


def _one(finding: Finding, where: str) -> str:
    """Return what the only outcome of a group shows, without its interval."""
    label, why, kind = listed((name_of(finding),)), "", "differs"
    if known(finding.estimate) is None:
        kind, why = "not_estimable", reason(finding)
    elif finding.verdict is Verdict.CANNOT_TELL:
        kind, why = "cannot_tell", f", because {finding.held_back}" if finding.held_back else ""
    elif finding.verdict is Verdict.DESCRIBED:
        kind = "described"
    elif finding.verdict in LITTLE:
        kind = "alike"
    text = PHRASES[f"quote.one_{kind}"].format(
        label=label,
        why=why,
        beside=PHRASES[f"beside.{finding.claim}"],
        compared=compared(finding) if kind in ("differs", "described") else "",
    )
    return where + text if where else _capital(text)


def answer(finding: Finding, *, is_told: bool = False) -> str:
    """Return a finding beside its name: size, interval, natural frequency, counts and years.

    Where the sentence to quote holds its size already (`is_told`), its interval comes first, and
    where the data cannot tell the smallest effect that could have been seen.
    """
    if known(finding.estimate) is None:
        return f"Could not be estimated: {reason(finding)}."
    counts = _counted_or_mean(finding)
    rest = [part for part in (in_one_hundred(finding), counts) if part]
    if is_told:
        return " ".join([*_interval_alone(finding), *rest])
    span = f"({percent(finding.level)} interval {interval(finding.low, finding.high, finding)})"
    if finding.verdict in NO_ANSWER and not finding.held_back:
        first = PHRASES["told.interval"].format(
            level=percent(finding.level), interval=interval(finding.low, finding.high, finding)
        )
    elif finding.verdict in NO_ANSWER:
        first = f"The data cannot tell: {finding.held_back} {span}."
    else:
        first = f"{_capital(compared(finding))} {span}."
    return " ".join([first, *rest])


def _interval_alone(finding: Finding) -> list[str]:
    """Return the interval as a sentence, and what else the sentence to quote leaves out."""
    span = interval(finding.low, finding.high, finding)
    said = [PHRASES["told.interval"].format(level=percent(finding.level), interval=span)]
    if finding.verdict is Verdict.CANNOT_TELL and not finding.held_back and known(finding.mde) is not None:
        effect = PHRASES[f"headline.effect_{'level' if finding.claim == 'level' else 'change'}"]
        mde = size(finding.mde, finding, unit=True)
        said.append(PHRASES["told.smallest"].format(effect=effect, mde=mde))
    if finding.is_one_place and finding.verdict in {Verdict.BETTER, Verdict.WORSE}:
        said.append(PHRASES["told.one_place"])
    return said


def _counted_or_mean(finding: Finding) -> str:
    """Return the counts of a finding with their years, or its means; empty where it has neither."""
    counts, both = counted(finding), amounts(finding)
    if counts or both is None or finding.form == "ratio":
        return counts
    observed = total(both[0], finding) + noun(finding)
    return PHRASES[f"mean.{finding.claim}"].format(
        when=_capital(when(finding.post)), observed=observed, expected=total(both[1], finding)
    )


def in_short(findings: Sequence[Finding]) -> list[str]:
    """Return what the findings of a group say, one sentence a verdict and claim."""
    kinds: dict[tuple[Verdict, str], dict[str, None]] = {}
    for f in main_findings(findings):
        kinds.setdefault((f.verdict, f.claim), {})[name_of(f)] = None
    order = list(Verdict)
    return [
        PHRASES[f"says.{verdict.name.lower()}"].format(
            names=listed(tuple(names)), beside=PHRASES[f"beside.{claim}"]
        )
        for (verdict, claim), names in sorted(kinds.items(), key=lambda k: order.index(k[0][0]))
    ]


def in_one_hundred(finding: Finding) -> str:
    """Return a ratio as a natural frequency, where it leaves the answer open with its interval.

    Examples
    --------
    A ratio of -0.112 of crimes reads 'For every 100 crimes expected there were 89.'
    """
    estimate, low, high = (known(v) for v in (finding.estimate, finding.low, finding.high))
    if finding.form != "ratio" or finding.claim == "contrast" or estimate is None:
        return ""
    values = {"unit": noun(finding) if is_count(finding) else "", "n": _of_hundred(estimate)}
    text = PHRASES[f"hundred.{finding.claim}"].format(**values)
    if finding.verdict in NO_ANSWER and low is not None and high is not None:
        text += PHRASES["hundred.interval"].format(low=_of_hundred(low), high=_of_hundred(high))
    return f"{text}."


def counted(finding: Finding) -> str:
    """Return how many there were and how many were expected, with the years; empty if not counts.

    Counts without the years they cover cannot be read; a finding without both has no such text.
    """
    both = amounts(finding)
    if both is None or not is_count(finding) or not finding.post:
        return ""
    values = {"when": _capital(when(finding.post)), "unit": noun(finding)}
    values |= {"observed": total(both[0], finding), "expected": total(both[1], finding)}
    return PHRASES[f"counted.{finding.claim}"].format(**values)


def when(span: str) -> str:
    """Write a span in words: '2013-07 to 2016-12' as 'July 2013 to December 2016'.

    A table's own numbers are called periods: '13 to 16' is 'periods 13 to 16'.
    """
    if re.fullmatch(r"\d{1,3}( to \d{1,3})?", span):
        return f"period{'s' if ' ' in span else ''} {span}"
    return re.sub(r"\b(\d{4})-(0[1-9]|1[0-2])(?:-(\d\d))?\b", _in_words, span)


def _in_words(found: re.Match[str]) -> str:
    """Write a month or a day: 'July 2013', '1 July 2013'."""
    day = f"{int(found[3])} " if found[3] else ""
    return f"{day}{month_name[int(found[2])]} {found[1]}"


def listed(names: Sequence[str]) -> str:
    """Join names within a sentence: 'crime', 'crime and noise', 'crime, noise and CCTV'."""
    own = [n if n[1:2].isupper() else n[:1].lower() + n[1:] for n in names]
    return own[0] if len(own) == 1 else f"{', '.join(own[:-1])} and {own[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _of_hundred(effect: float) -> str:
    """Write how many there were for a hundred; 'about 100' where that is not quite a hundred."""
    text = f"{_HUNDRED * (1 + effect):,.0f}"
    return f"about {text}" if effect and text == str(_HUNDRED) else text


_SHORT = {
    Verdict.BETTER: "better",
    Verdict.WORSE: "worse",
    Verdict.LITTLE_DIFFERENCE: "much the same",
    Verdict.HIGHER: "higher",
    Verdict.LOWER: "lower",
    Verdict.ALIKE: "much the same level",
    Verdict.CANNOT_TELL: "cannot tell",
    Verdict.DESCRIBED: "shown, not judged",
    Verdict.NOT_ESTIMABLE: "no answer",
}


def plain_verdict(verdict: Verdict) -> str:
    """Return a verdict in the words of a page for residents."""
    return _SHORT[verdict]


def in_short_here(findings: Sequence[Finding]) -> str:
    """Count what was looked at in one neighbourhood by verdict."""
    count = Counter(finding.verdict for finding in findings)
    parts = [f"{_SHORT[v]}: {count[v]}" for v in Verdict if count[v]]
    things = "1 thing" if len(findings) == 1 else f"{len(findings)} things"
    return PHRASES["place.looked"].format(things=things, counts="; ".join(parts).capitalize())


def plain_answer(finding: Finding) -> str:
    """Return what one neighbourhood's finding says, in two or three short sentences."""
    label = _plain_capital(finding.label)
    if known(finding.estimate) is None:
        return PHRASES["place.no_answer"].format(label=label, reason=_plain_capital(reason(finding)))
    why = f", because {finding.held_back}" if finding.held_back else ""
    said = PHRASES[f"place.{finding.verdict.name.lower()}"].format(label=label, why=why)
    return " ".join(part for part in (said, _counts(finding)) if part)


def how_sure(finding: Finding) -> str:
    """Return the range that fits the numbers, and the smallest change one place could show."""
    if known(finding.estimate) is None:
        return ""
    span = interval(finding.low, finding.high, finding)
    text = PHRASES["place.range"].format(label=_plain_capital(finding.label), span=span)
    if known(finding.mde) is not None:
        text += PHRASES["place.missed"].format(mde=size(finding.mde, finding, unit=True))
    return text


def _counts(finding: Finding) -> str:
    both = amounts(finding)
    if both is None:
        return ""
    observed, expected = (total(v, finding) for v in both)
    key = "place.counts_level" if finding.claim == "level" else "place.counts_change"
    return _plain_capital(
        PHRASES[key].format(
            when=_capital(when(finding.post)), observed=observed, noun=noun(finding), expected=expected
        )
    )


def _plain_capital(text: str) -> str:
    return text[:1].upper() + text[1:]

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect import wording
from areaeffect.results import ALL_INITIATIVES, Better, Claim, Finding, Form, Interval, IntervalKind, Verdict
from areaeffect.wording import numbers
from areaeffect.wording.numbers import PHRASES, three_digits
from tests.shared.sample_result import sample_result
from tests.unit.report.test_neighbourhood_pages import reading_grade

BANNED = ("control", "no effect", "proves", "significant")
LABELS = ("Crime", "Anti-social behaviour", "empty homes", "Neighbourhood environment score")
RATIO_UNITS = ("crimes", "empty homes", "fraction", "")
ADDITIVE_UNITS = ("points", "percentage points", "crimes per 1,000 residents a year")
NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
ODD = st.sampled_from([None, math.nan, math.inf])


# ---------------------------------------------------------------- made-up findings


def interval(low: float | None, high: float | None) -> Interval:
    return Interval(kind=IntervalKind.JOINT, level=0.95, low=low, high=high, p_value=0.2)


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    ratio = draw(st.booleans())
    claim = draw(st.sampled_from(["change", "level"]))
    if ratio:
        expected = draw(st.floats(1.0, 1e6))
        observed = float(draw(st.integers(0, 1_000_000)))
        estimate = observed / expected - 1
        spread, threshold = 1.0, draw(st.sampled_from([0.03, 0.05, 0.1]))
    else:
        expected = draw(st.floats(-50, 50))
        spread, threshold = 20.0, draw(st.sampled_from([0.004, 0.05, 0.5, 1.0, 3.0]))
        estimate = draw(st.floats(-20, 20))
        observed = expected + estimate
    width = st.floats(0, spread)
    low, high = estimate - draw(width), estimate + draw(width)
    return Finding(
        initiative="Residents First",
        group=draw(st.sampled_from(["Residents First", ALL_INITIATIVES])),
        neighbourhood=draw(st.sampled_from([None, "Hilltop"])),
        family=draw(st.sampled_from(["crime", "environment"])),
        outcome="it",
        label=draw(st.sampled_from(LABELS)),
        claim=Claim(claim),
        form=Form.RATIO if ratio else Form.ADDITIVE,
        estimand="realised effect",
        unit=draw(st.sampled_from(RATIO_UNITS if ratio else ADDITIVE_UNITS)),
        better=draw(st.sampled_from(list(Better))),
        threshold=threshold,
        verdict=draw(st.sampled_from([v for v in Verdict if v is not Verdict.NOT_ESTIMABLE])),
        n_neighbourhoods=draw(st.integers(1, 250)),
        n_areas=draw(st.integers(1, 3000)),
        estimate=estimate,
        interval=interval(draw(st.one_of(st.just(low), ODD)), draw(st.one_of(st.just(high), ODD))),
        n_together=draw(st.integers(1, 9)),
        is_one_place=draw(st.booleans()),
        held_back=draw(st.sampled_from(["", "only 26 separate places can be compared with this one"])),
        observed=observed,
        counterfactual=expected,
        avoided=expected - observed,
        mde=draw(st.one_of(width, ODD)),
        n_benchmark_areas=draw(st.one_of(st.none(), st.integers(0, 5000))),
        placebos=draw(st.one_of(st.none(), st.integers(19, 9999))),
        n_disjoint_placebos=draw(st.one_of(st.none(), st.integers(0, 99))),
        pre=draw(st.sampled_from(["", "2012-01 to 2015-12", "1 to 12"])),
        post=draw(st.sampled_from(["", "2016-01 to 2023-12", "13 to 16"])),
    )


def not_estimable(reason: str = "too few periods before the start") -> Finding:
    finding = sample_result(placebos=19, shapes=False).findings[0]
    return replace(finding, estimate=None, verdict=Verdict.NOT_ESTIMABLE, caveats=(reason,))


# ---------------------------------------------------------------- an independent reader


def same(text: str, value: float | None, *, per_cent: bool) -> bool:
    """Say whether a printed size is a value at the printed number of decimals."""
    if value is None:
        return False
    plain = text.replace(",", "")
    step = 10.0 ** -len(plain.partition(".")[2])
    shown = abs(value) * (100 if per_cent else 1)
    return abs(float(plain) - shown) <= step / 2 + 1e-9 * max(1.0, shown)


def signs(word: str | None) -> int:
    return {"lower": -1, "higher": 1}.get(word or "", 0)


class Reader:
    """Takes numbers out of a sentence, one role at a time; what is left must hold none."""

    def __init__(self, text: str, finding: Finding) -> None:
        self.finding = finding
        self.per_cent = finding.form == "ratio"
        for known in (finding.pre, finding.post, finding.unit):
            if re.search(r"\d", known):
                text = text.replace(known, "")
        self.text = text

    def take(self, pattern: str) -> list[re.Match[str]]:
        found = list(re.finditer(pattern, self.text))
        self.text = re.sub(pattern, " ~ ", self.text)
        return found

    def size(self, text: str, mark: str, value: float | None) -> None:
        assert (mark == "%") is self.per_cent
        assert same(text, value, per_cent=self.per_cent), (text, value)

    def effect(self, text: str, mark: str, word: str | None, value: float | None) -> None:
        self.size(text, mark, value)
        assert value is not None
        if float(text.replace(",", "")) != 0:
            assert signs(word) == math.copysign(1, value), (text, word, value)

    def interval(self, opening: str, low: float | None, high: float | None) -> None:
        side = NUMBER + r"(%?)(?: (?!to |lower|higher)\w+)?(?: (lower|higher))?"
        low, high = (v if v is not None and math.isfinite(v) else None for v in (low, high))
        for both in self.take(opening + rf"from {side} to {side}(?=[ .,:;)])"):
            self.effect(both[1], both[2], both[3] or both[6], low)
            self.effect(both[4], both[5], both[6], high)
        for above in self.take(opening + rf"up to {side}, with no lower end found"):
            assert low is None
            self.effect(above[1], above[2], above[3], high)
        for below in self.take(opening + rf"from {side} upwards, with no upper end found"):
            assert high is None
            self.effect(below[1], below[2], below[3], low)

    def close(self) -> None:
        assert not re.search(r"\d", self.text), self.text


def read_whole(text: str, f: Finding) -> None:
    """Read every number of a sentence back, each in its role."""
    reader = Reader(text, f)
    reader.take(r"(?<= )80% power")
    reader.take(r"95%(?= (?:placebo )?interval)")
    for counts in reader.take(r"\(([\d,]+) neighbourhoods?, ([\d,]+) areas?\)"):
        assert same(counts[1], f.n_neighbourhoods, per_cent=False)
        assert same(counts[2], f.n_areas, per_cent=False)
    for drawn in reader.take(r"([\d,]+) placebo programmes?"):
        assert same(drawn[1], f.placebos, per_cent=False)
    for apart in reader.take(r"([\d,]+) of them without a shared area"):
        assert same(apart[1], f.n_disjoint_placebos, per_cent=False)
    for areas in reader.take(r"([\d,]+) benchmark areas?(?!:)"):
        assert same(areas[1], f.n_benchmark_areas, per_cent=False)
    reader.take(rf"for {f.n_together} outcomes at once|(?<=: ){re.escape(f.held_back or '^')}")
    reader.take(r"(?<=because )only 26 separate places")
    reader.interval("", f.low, f.high)
    effect = NUMBER + r"(%?)(?: [a-z ]*?)? (lower|higher|apart)(?= )"
    for found in reader.take(r"(?:[:,]|little difference,) " + effect):
        reader.effect(found[1], found[2], found[3], f.estimate)
    smallest = r"(?:could have seen(?: with\s+~\s+)? ?is|detectable \w+) +"
    for found in reader.take(smallest + NUMBER + "(%?)"):
        reader.size(found[1], found[2], f.mde)
    for found in reader.take(r"smaller than " + NUMBER + "(%?)"):
        reader.size(found[1], found[2], f.threshold)
    amount = r"(−?)" + NUMBER + "(%?)"
    beside = rf"Observed: {amount}[a-z ]*; (?:expected|benchmark areas): {amount}"
    for pattern in (rf"(?:There were|It was) {amount}[a-z ]*, not {amount}", beside):
        for found in reader.take(pattern):
            for i, value in ((1, f.observed), (4, f.counterfactual)):
                assert same(found[i + 1], value, per_cent=False)
                assert not found[i] or (value or 0) < 0
                assert (found[i + 2] == "%") is (f.unit == "percentage points")
    for found in reader.take(NUMBER + r" (avoided|more than expected)"):
        assert same(found[1], f.avoided, per_cent=False)
        assert (found[2] == "avoided") is ((f.avoided or 0) >= 0)
    reader.close()


# ---------------------------------------------------------------- sentences


@given(findings())
def test_every_number_of_the_sentence_is_the_findings_own(finding: Finding) -> None:
    read_whole(wording.sentence(finding), finding)


@given(findings())
def test_every_number_of_the_headline_is_the_findings_own(finding: Finding) -> None:
    read_whole(wording.headline(finding), finding)


@given(findings())
def test_every_number_of_what_can_and_cannot_be_said_is_the_findings_own(finding: Finding) -> None:
    for text in (*wording.can_say(finding), *wording.cannot_say(finding)):
        read_whole(text, finding)


def test_the_reader_finds_a_wrong_number() -> None:
    finding = sample_result(placebos=19, shapes=False).findings[2]
    text = wording.sentence(finding)
    read_whole(text, finding)
    for token in re.findall(NUMBER, re.sub(r"80%|95%|\d{4}-\d\d", "", text)):
        digit = str((int(token[-1]) + 1) % 10)
        wrong = text.replace(token, token[:-1] + digit)
        with pytest.raises(AssertionError):
            read_whole(wrong, finding)


def test_the_reader_finds_a_turned_sign() -> None:
    finding = sample_result(placebos=19, shapes=False).findings[2]
    with pytest.raises(AssertionError):
        read_whole(wording.sentence(finding).replace("lower", "higher"), finding)


@given(findings())
def test_a_headline_has_at_most_thirty_words(finding: Finding) -> None:
    assert len(wording.headline(finding).split()) <= wording.HEADLINE_WORDS


@given(findings())
def test_no_text_holds_a_banned_word_or_a_missing_value(finding: Finding) -> None:
    texts = [wording.headline(finding), wording.sentence(finding), wording.overall([finding])]
    for text in (*texts, *wording.can_say(finding), *wording.cannot_say(finding)):
        assert not [word for word in BANNED if word in text.lower()]
        assert not re.search(r"\b(nan|none|inf)\b", text, flags=re.IGNORECASE)


@given(findings())
def test_a_level_claim_differs_and_has_no_effect_on_anything(finding: Finding) -> None:
    level = replace(finding, claim="level")
    text = f"{wording.headline(level)} {wording.sentence(level)}"
    assert "effect" not in text
    assert "avoided" not in text
    assert "expected" not in text
    assert any("caused it" in line for line in wording.cannot_say(level))


@given(findings(), st.floats(0.01, 0.9), st.floats(10, 1e5))
def test_estimate_and_avoided_agree_in_sign(finding: Finding, share: float, n: float) -> None:
    change = replace(finding, form="ratio", claim="change", unit="crimes", threshold=0.05)
    for estimate in (-share, share):
        own = replace(change, estimate=estimate, counterfactual=n, observed=n * (1 + estimate))
        text = wording.sentence(replace(own, avoided=-estimate * n))
        assert ("avoided" in text) is (estimate < 0)
        assert ("more than expected" in text) is (estimate > 0)


def test_contradicting_signs_are_refused() -> None:
    finding = replace(sample_result(placebos=19, shapes=False).findings[0], avoided=-500.0)
    with pytest.raises(ValueError, match="contradict each other in sign"):
        wording.sentence(finding)


def test_cannot_tell_names_the_smallest_detectable_effect() -> None:
    finding = replace(
        sample_result(placebos=19, shapes=False).findings[0], verdict=Verdict.CANNOT_TELL, mde=0.123
    )
    text = wording.headline(finding)
    assert "the data cannot tell" in text
    assert "12.3%" in text


def test_a_verdict_that_is_held_back_gives_its_reason() -> None:
    finding = replace(
        sample_result(placebos=19, shapes=False).findings[0],
        verdict=Verdict.CANNOT_TELL, held_back="the study does not say where its areas lie",
        interval=interval(-0.2, -0.01),
    )  # fmt: skip
    assert "cannot tell, because the study does not say" in wording.headline(finding)
    assert "the study does not say where its areas lie" in wording.sentence(finding)


def test_one_place_is_said_to_be_one() -> None:
    finding = replace(
        sample_result(placebos=19, shapes=False).findings[0],
        verdict=Verdict.BETTER, is_one_place=True,
    )  # fmt: skip
    said = "this place did better than places like it"
    assert said in wording.headline(finding)
    assert "One place cannot say why" in wording.headline(finding)
    assert said.capitalize() in wording.sentence(finding)


def test_little_difference_keeps_its_sign() -> None:
    finding = replace(
        sample_result(placebos=19, shapes=False).findings[0],
        verdict=Verdict.LITTLE_DIFFERENCE, estimate=-0.012,
        interval=interval(-0.04, 0.016),
    )  # fmt: skip
    assert "little difference, 1.2% lower" in wording.headline(finding)


def test_a_finding_that_cannot_be_estimated_gives_its_reason() -> None:
    finding = not_estimable()
    for text in (wording.headline(finding), wording.sentence(finding)):
        assert "could not be estimated: too few periods before the start." in text


def test_a_long_reason_moves_out_of_the_headline() -> None:
    text = wording.headline(not_estimable("because " * 40))
    assert text == "Crime could not be estimated; the reason is given below."


def test_totals_are_not_printed_in_the_unit_of_a_rate() -> None:
    finding = replace(
        sample_result(placebos=19, shapes=False).findings[0],
        form="additive", unit="crimes per 1,000 a year", estimate=-7.3, observed=4210.0,
        counterfactual=5270.0, threshold=4.0,
    )  # fmt: skip
    assert "4,210" not in wording.headline(finding) + wording.sentence(finding)


def test_a_ratio_without_a_noun_prints_amounts_alone() -> None:
    finding = replace(sample_result(placebos=19, shapes=False).findings[0], unit="fraction")
    text = wording.headline(finding) + wording.sentence(finding)
    assert "fraction" not in text
    assert re.search(r"There were 13,639, not 14,841", text)


def test_a_share_is_in_per_cent_and_its_difference_in_points() -> None:
    finding = replace(
        sample_result(placebos=19, shapes=False).findings[0],
        form="additive", unit="percentage points", claim="level", threshold=1.0,
        estimate=-0.06, interval=interval(-0.6, 0.45), observed=28.01, counterfactual=28.07,
    )  # fmt: skip
    said = wording.headline(finding) + wording.sentence(finding)
    assert "28.0%, not 28.1%" in said or "28.0%; benchmark areas: 28.1%" in said
    assert "percentage points" in wording.sentence(finding)


@pytest.mark.parametrize(
    ("pre", "post", "said"),
    [
        ("2008-01 to 2015-09", "2013-01 to 2016-12", True),
        ("2012-01 to 2015-12", "2016-01 to 2023-12", False),
        ("1 to 12", "9 to 16", False),
        ("", "2013-01", False),
    ],
)
def test_starts_that_differ_are_said_where_before_and_after_overlap(pre: str, post: str, said: bool) -> None:
    finding = replace(sample_result(placebos=19, shapes=False).findings[0], pre=pre, post=post)
    text = "each neighbourhood from its own start"
    assert (text in wording.sentence(finding)) is said


def test_a_rate_beside_a_ratio_is_printed_on_its_own_scale() -> None:
    finding = replace(
        sample_result(placebos=19, shapes=False).findings[0],
        form="additive", unit="crimes per 1,000 a year", threshold=0.05,
        estimate=-7.31, interval=interval(-12.3, 2.3),
    )  # fmt: skip
    assert numbers.signed(finding.estimate, finding) == "−7.3"
    rare = replace(finding, estimate=-0.0731, interval=interval(-0.123, 0.023))
    assert numbers.signed(rare.estimate, rare) == "−0.073"


# ---------------------------------------------------------------- overall


def test_overall_counts_each_family_once() -> None:
    result = sample_result(placebos=19, shapes=False)
    own = [f for f in result.findings if f.group == "Council Partnership"]
    assert wording.overall(own) == (
        "6 outcome families: 5 where the data cannot tell, 1 that could not be estimated. "
        "3 of them compare levels: how places differ, not what the initiative changed."
    )


def test_a_family_with_different_verdicts_is_mixed() -> None:
    first = sample_result(placebos=19, shapes=False).findings[0]
    second = replace(first, outcome="other", verdict=Verdict.WORSE)
    assert "1 mixed" in wording.overall([first, second])


def test_a_group_without_findings_says_so() -> None:
    assert wording.overall([]) == "No outcome family was studied."


def test_the_ratio_leads_and_the_additive_form_follows() -> None:
    findings = sample_result(placebos=19, shapes=False).findings
    main = wording.main_findings(findings)
    assert [f.form for f in main if f.outcome == "crime"] == ["ratio"] * 3
    companion = wording.additive_companion(main[0], findings)
    assert companion is not None
    assert (companion.form, companion.outcome) == ("additive", "crime")
    assert companion.group == main[0].group


def test_findings_of_one_neighbourhood_are_not_main_findings() -> None:
    findings = sample_result(placebos=19, shapes=False).findings
    assert all(f.neighbourhood is None for f in wording.main_findings(findings))


def test_without_primary_findings_the_others_carry_the_report() -> None:
    findings = [replace(f, primary=False) for f in sample_result(placebos=19).findings]
    assert len(wording.main_findings(findings)) == 18


# ---------------------------------------------------------------- verdicts and numbers


def test_every_verdict_has_its_own_symbol_and_words() -> None:
    assert len(set(numbers.VERDICT_SYMBOLS.values())) == len(Verdict)
    for verdict in Verdict:
        assert numbers.verdict_words(verdict)
        assert "expected" not in numbers.verdict_words(verdict, "level")


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (-0.201, "ratio", "−20.1%"),
        (0.0004, "ratio", "0.0%"),
        (-0.0004, "ratio", "0.0%"),
        (5270.4, "count", "5,270"),
        (1_204_331.0, "count", "1,204,331"),
        (3.94, "additive", "3.9"),
        (-3.96, "additive", "−4.0"),
        (None, "ratio", "not estimable"),
        (math.nan, "count", "not estimable"),
        (math.inf, "additive", "not estimable"),
    ],
)
def test_numbers_are_printed_the_british_way(value: float | None, form: str, text: str) -> None:
    assert numbers.number(value, form) == text


def test_a_fine_scale_keeps_more_decimals() -> None:
    finding = replace(sample_result(placebos=19).findings[0], form="additive", threshold=0.02)
    assert numbers.signed(-0.0137, finding) == "−0.014"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (-0.283, -0.11, "from 28.3% to 11.0% lower"),
        (-0.04, 0.016, "from 4.0% lower to 1.6% higher"),
        (0.0, 0.032, "from 0.0% to 3.2% higher"),
        (None, 0.032, "up to 3.2% higher, with no lower end found"),
        (-0.04, math.inf, "from 4.0% lower upwards, with no upper end found"),
        (None, None, "not estimable"),
    ],
)
def test_intervals_are_told_by_direction(low: float | None, high: float | None, text: str) -> None:
    assert numbers.interval(low, high, sample_result(placebos=19).findings[0]) == text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5823.4, "5,823"), (999.6, "1,000"), (214.0, "214"), (5.817, "5.82"), (0.01234, "0.0123"),
        (0.00001234, "0.0000123"), (-3.0, "−3"), (-12345.0, "−12,345"), (0.0, "0"),
    ],
)  # fmt: skip
def test_three_digits_are_written_without_an_exponent(value: float, words: str) -> None:
    assert three_digits(value) == words


# ---------------------------------------------------------------- reading age

HEADLINE_GRADE = 9.0  # school grade: about the age of 14


def test_the_sentences_that_lead_a_report_are_read_at_fourteen() -> None:
    """Names are the study's own, and may be harder: short ones stand in for them."""
    findings = sample_result(placebos=19, shapes=False).findings
    labels = dict.fromkeys(f.outcome for f in findings)
    names = dict(zip(labels, ("crime", "noise", "litter", "rats", "dust", "fires"), strict=False))
    for group in dict.fromkeys(f.group for f in findings):
        own = [
            replace(f, group="the plan", label=names[f.outcome], caveats=("it has no data",))
            for f in findings
            if f.group == group
        ]
        said = {wording.quote(own), *map(wording.answer, wording.main_findings(own))}
        said |= {wording.headline(f) for f in wording.main_findings(own)}
        for text in map(without_brackets, said):
            assert reading_grade(text) <= HEADLINE_GRADE, text
    for name in ("unseen", "elsewhere", "one_study", "exploratory"):
        assert reading_grade(PHRASES[f"caveat.{name}"]) <= HEADLINE_GRADE, name


def without_brackets(text: str) -> str:
    """Leave out intervals and the length of numbers, which count as letters and are not read so."""
    text = re.sub(r" \([^)]*\)|[A-Z][a-z]+ (?=\d{4})", "", text)
    return re.sub(r"\d[\d,.]*\d", "9", text)


def test_a_tables_own_numbers_are_called_periods() -> None:
    assert wording.when("13 to 16") == "periods 13 to 16"
    assert wording.when("13") == "period 13"
    assert wording.when("2013 to 2016") == "2013 to 2016"
    assert wording.when("2013-07") == "July 2013"

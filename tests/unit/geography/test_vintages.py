"""Vintages: totals are conserved, irregular areas are named, nothing is guessed silently."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.errors import DataError
from areaeffect.geography.codes import load_lookup, make_lookup
from areaeffect.geography.vintages import Weights, convert_counts, convert_rates, to_vintage

PAIRS = [
    ("a1", "a1", "U"),
    ("b1", "b2", "S"),
    ("b1", "b3", "S"),
    ("c1", "c3", "M"),
    ("c2", "c3", "M"),
    ("x1", "x3", "X"),
    ("x2", "x3", "X"),
    ("x2", "x4", "X"),
]


def lookup_of(pairs):
    old, new, change = (np.array(column) for column in zip(*pairs, strict=True))
    return make_lookup(old, new, change)


SMALL = lookup_of(PAIRS)
OLD = np.array(["a1", "b1", "c1", "c2", "x1", "x2"])


@st.composite
def lookups(draw):
    """A lookup of any make-up, its older codes, and whether each newer code is given too."""
    kinds = draw(st.lists(st.sampled_from("USMX"), min_size=1, max_size=8))
    pairs = []
    for i, kind in enumerate(kinds):
        n = draw(st.integers(2, 4))
        if kind == "U":
            pairs.append((f"u{i}", f"u{i}", "U"))
        elif kind == "S":
            pairs += [(f"o{i}", f"n{i}{k}", "S") for k in range(n)]
        elif kind == "M":
            pairs += [(f"o{i}{k}", f"n{i}", "M") for k in range(n)]
        else:
            pairs += [(f"o{i}a", f"n{i}{k}", "X") for k in range(n)]
            pairs += [(f"o{i}b", f"n{i}0", "X")]
    lookup = lookup_of(pairs)
    codes = np.unique(np.concatenate([lookup.old, lookup.new, ["nowhere"]]))
    return lookup, codes[np.array(draw(st.permutations(range(len(codes)))))]


@st.composite
def counted(draw):
    lookup, codes = draw(lookups())
    n_periods = draw(st.integers(1, 5))
    cells = st.lists(st.integers(0, 1000), min_size=len(codes) * n_periods, max_size=len(codes) * n_periods)
    values = np.array(draw(cells), dtype=float).reshape(len(codes), n_periods)
    weights = None
    if draw(st.booleans()):
        share = st.one_of(st.floats(0, 1e4), st.just(float("nan")))
        n = len(lookup.new)
        weights = Weights("residents", lookup.new, np.array(draw(st.lists(share, min_size=n, max_size=n))))
    return lookup, codes, values, weights


def left_out(result, values, codes):
    """Return what the codes without a newer area hold in every period."""
    return values[np.isin(codes, result.left_out)].sum(axis=0)


@given(counted())
def test_totals_are_conserved_in_every_period(case):
    lookup, codes, values, weights = case
    result = convert_counts(values, codes, lookup, weights)
    total = result.values.sum(axis=0) + left_out(result, values, codes)
    np.testing.assert_array_equal(total, values.sum(axis=0))
    assert (result.values >= 0).all()
    np.testing.assert_array_equal(result.values, np.floor(result.values))
    assert (np.diff(np.unique(result.codes, return_counts=True)[1]) == 0).all()


@given(counted())
def test_fractions_conserve_totals_and_whole_numbers_stay_near_them(case):
    lookup, codes, values, weights = case
    whole = convert_counts(values, codes, lookup, weights)
    parts = convert_counts(values, codes, lookup, weights, whole=False)
    total = parts.values.sum(axis=0) + left_out(parts, values, codes)
    np.testing.assert_allclose(total, values.sum(axis=0), rtol=1e-12, atol=1e-9)
    # remainders are carried on, so the whole series of a part stays near its share
    drift = np.abs(whole.values.cumsum(axis=1) - parts.values.cumsum(axis=1))
    assert drift.max(initial=0) < 4


@given(counted())
def test_order_of_areas_changes_nothing(case):
    lookup, codes, values, weights = case
    order = np.argsort(codes)
    one = convert_counts(values, codes, lookup, weights)
    other = convert_counts(values[order], codes[order], lookup, weights)
    np.testing.assert_array_equal(one.codes, other.codes)
    np.testing.assert_array_equal(one.values, other.values)
    assert one.left_out == other.left_out


def test_each_code_gets_its_status():
    codes = np.array(["a1", "b1", "b2", "c1", "c3", "x1", "x4", "zz"])
    new, status = to_vintage(codes, SMALL)
    assert new.tolist() == ["a1", "", "b2", "c3", "c3", "", "x4", ""]
    assert status.tolist() == [
        "unchanged",
        "split",
        "same",
        "merged",
        "same",
        "irregular",
        "same",  # of its older part nothing is given
        "unknown",
    ]
    assert to_vintage(np.array(["x2", "x4"]), SMALL)[1].tolist() == ["irregular", "irregular"]


def test_one_incident_a_month_is_shared_over_the_months():
    values = np.zeros((6, 12))
    values[1] = 1
    result = convert_counts(values, OLD, SMALL)
    part = result.values[np.isin(result.codes, ["b2", "b3"])]
    assert part.sum(axis=1).tolist() == [6, 6]
    assert part.sum(axis=0).tolist() == [1] * 12


def test_split_follows_the_declared_weights_and_says_so():
    values = np.array([[0.0], [10], [1], [2], [5], [7]])
    residents = Weights("residents in 2021", np.array(["b3", "b2"]), np.array([300.0, 700]))
    result = convert_counts(values, OLD, SMALL, residents)
    assert dict(zip(result.codes, result.values[:, 0], strict=True)) == {"a1": 0, "b2": 7, "b3": 3, "c3": 3}
    assert result.left_out == ("x1", "x2")
    assert result.notes == (
        "1 split areas were divided by residents in 2021.",
        "Left out, irregular or unknown: x1, x2.",
    )


def test_a_part_without_weight_means_equal_parts_and_a_note():
    residents = Weights("residents", np.array(["b2"]), np.array([700.0]))
    result = convert_counts(np.full((6, 1), 4.0), OLD, SMALL, residents)
    assert result.split_equally == ("b1",)
    assert "1 split areas were divided equally: b1." in result.notes


def test_missing_stays_missing_and_a_part_is_not_the_sum():
    values = np.ones((6, 2))
    values[[1, 2], 0] = np.nan
    result = convert_counts(values, OLD, SMALL)
    missing = dict(zip(result.codes, np.isnan(result.values).tolist(), strict=True))
    assert missing == {"a1": [False, False], "b2": [True, False], "b3": [True, False], "c3": [True, False]}


def test_a_merged_area_without_all_its_parts_is_named():
    result = convert_counts(np.ones((2, 1)), np.array(["a1", "c1"]), SMALL)
    assert result.incomplete == ("c3",)
    assert "Merged areas with a part missing: c3." in result.notes


def test_unchanged_areas_come_back_as_they_were():
    values = np.arange(6.0).reshape(1, 6)
    result = convert_counts(values, np.array(["a1"]), SMALL)
    np.testing.assert_array_equal(result.values, values)
    assert result.notes == ()


@pytest.mark.parametrize(
    ("values", "codes", "sentence"),
    [
        (
            [[1.5]],
            ["a1"],
            "area a1: 1.5 is not a count. Counts are whole numbers of 0 or more; for fractions "
            "ask with `whole=False`.",
        ),
        (
            [[-1.0]],
            ["a1"],
            "area a1: -1 is not a count. Counts are whole numbers of 0 or more; for fractions "
            "ask with `whole=False`.",
        ),
        ([[1.0], [1.0]], ["a1", "a1"], "area a1 appears twice. Add its rows up first."),
    ],
)
def test_what_is_not_a_count_is_refused(values, codes, sentence):
    with pytest.raises(DataError) as caught:
        convert_counts(np.array(values), np.array(codes), SMALL)
    assert str(caught.value) == sentence


def test_rates_are_weighted_means_and_parts_share_the_whole():
    values = np.array([[1.0], [2], [10], [40], [5], [7]])
    residents = Weights("residents in 2011", OLD, np.array([1.0, 1, 300, 100, 1, 1]))
    result = convert_rates(values, OLD, SMALL, residents)
    assert dict(zip(result.codes, result.values[:, 0], strict=True)) == {
        "a1": 1,
        "b2": 2,
        "b3": 2,
        "c3": 17.5,
    }
    assert result.notes[0] == "1 merged areas have the mean weighted by residents in 2011 of " + (
        "their parts."
    )


def test_a_rate_given_for_the_newer_code_stands_first():
    values = np.array([[2.0, np.nan], [np.nan, 9.0]])
    result = convert_rates(values, np.array(["b1", "b2"]), SMALL)
    assert dict(zip(result.codes, result.values.tolist(), strict=True))["b2"] == [2, 9]


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([("a", "b", "Q")], "a change code is unknown, such as a → b (Q). Allowed: U, S, M, X."),
        (
            [("a", "b", "U"), ("a", "c", "U")],
            "a change code contradicts the pairs, such as a → b (U). Use the publisher's lookup.",
        ),
        (
            [("a", "b", "S"), ("a", "a", "S")],
            "a code means different areas in the two vintages, such as a → a (S). A series "
            "with both vintages could not be read.",
        ),
        (
            [("a", "a", "U"), ("a", "a", "U")],
            "a pair appears twice, such as a → a (U). Keep one row for each pair.",
        ),
    ],
)
def test_a_faulty_lookup_is_refused(pairs, sentence):
    with pytest.raises(DataError) as caught:
        lookup_of(pairs)
    assert str(caught.value.problems[0]) == f"lookup: {sentence}"


def test_a_misspelt_column_of_a_lookup_is_guessed(tmp_path):
    path = tmp_path / "lookup.csv"
    path.write_text("LSOA11CD,LSOA21CD,CHGIND\nE1,E1,U\n", encoding="utf-8-sig")
    assert load_lookup(path, "LSOA11CD", "LSOA21CD", "CHGIND").old.tolist() == ["E1"]
    with pytest.raises(DataError, match="Did you mean 'LSOA21CD'"):
        load_lookup(path, "LSOA11CD", "LSOA22CD", "CHGIND")


@pytest.fixture(scope="session")
def real_lookups(real_data):
    folder = real_data / "geography"
    return (
        load_lookup(folder / "lookup_lsoa01_lsoa11.parquet", "lsoa01_code", "lsoa11_code"),
        load_lookup(folder / "lookup_lsoa11_lsoa21_ltla22.parquet", "lsoa11_code", "lsoa21_code"),
    )


@pytest.mark.real_data
def test_the_published_lookup_is_read_whole(real_lookups):
    lookup = real_lookups[1]
    change, count = np.unique(lookup.change, return_counts=True)
    assert dict(zip(change.tolist(), count.tolist(), strict=True)) == {
        "M": 239,
        "S": 1900,
        "U": 33647,
        "X": 9,
    }
    assert len(np.setdiff1d(lookup.old, lookup.new)) == 1106
    assert len(np.setdiff1d(lookup.new, lookup.old)) == 2025


@pytest.mark.real_data
def test_from_2001_to_2021_no_incident_is_lost(real_lookups):
    first, second = real_lookups
    codes = np.unique(first.old)
    values = np.random.default_rng(7).poisson(0.8, (len(codes), 24)).astype(float)
    middle = convert_counts(values, codes, first)
    steps = [middle, convert_counts(middle.values, middle.codes, second)]
    total = steps[-1].values.sum(axis=0)
    total += left_out(middle, values, codes) + left_out(steps[1], middle.values, middle.codes)
    np.testing.assert_array_equal(total, values.sum(axis=0))
    status = dict(zip(*np.unique(to_vintage(codes, first)[1], return_counts=True), strict=True))
    assert status == {"irregular": 163, "merged": 313, "split": 383, "unchanged": 33519}
    assert np.isin(steps[-1].codes, second.new).all()


@pytest.mark.real_data
def test_both_vintages_in_one_series_meet_on_the_newer(real_lookups):
    lookup = real_lookups[1]
    codes = np.unique(np.concatenate([lookup.old, lookup.new]))
    values = np.random.default_rng(8).poisson(2, (len(codes), 3)).astype(float)
    result = convert_counts(values, codes, lookup)
    total = result.values.sum(axis=0) + left_out(result, values, codes)
    np.testing.assert_array_equal(total, values.sum(axis=0))
    irregular = np.unique(lookup.new[lookup.change == "X"])
    assert len(result.codes) == 35_672 - len(irregular)
    assert set(irregular) <= set(result.left_out)
    assert len(result.left_out) == 12

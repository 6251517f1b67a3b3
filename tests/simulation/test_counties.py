"""Whole evaluations of counties with known effects: a small version of `make simulate`."""

from __future__ import annotations

import pytest

from benchmarks.counties import Row, one_county

pytestmark = pytest.mark.simulation

_COUNTIES = 5
_PLACEBOS = 79


@pytest.fixture(scope="module")
def counties() -> list[list[Row]]:
    return [one_county(seed, _PLACEBOS) for seed in range(901, 901 + _COUNTIES)]


def test_the_95_per_cent_intervals_cover_what_was_put_in(counties: list[list[Row]]) -> None:
    """Findings of one county are dependent, so the bound treats its initiatives as six apart.

    With 5 counties and about 12 independent findings each, a coverage of 0.95 has a standard
    error of 0.028; the bound lies four of them below.
    """
    rows = [row for county in counties for row in county]
    covered = sum(row.low <= row.truth <= row.high for row in rows) / len(rows)
    assert len(rows) == 24 * _COUNTIES  # two initiatives, both, and their contrast
    assert covered >= 0.95 - 4 * 0.028


def test_large_effects_are_found_and_none_is_called_worse(counties: list[list[Row]]) -> None:
    for county in counties:
        found = {(r.group, r.outcome): r.verdict for r in county}
        assert found["Residents First", "antisocial_behaviour"] == "better"
        assert found["Residents First", "empty_homes"] == "better"
        assert "worse" not in found.values()


def test_estimates_do_not_lean(counties: list[list[Row]]) -> None:
    """Sixteen ratio findings a county with an error of about 0.03 each."""
    errors = [r.estimate - r.truth for c in counties for r in c if r.form == "ratio"]
    assert abs(sum(errors) / len(errors)) < 4 * 0.03 / len(errors) ** 0.5

"""What places of a borough have in common counts in the error of a mean over programmes."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.cutoff_boroughs import Estimated, errors


def _programmes(of_borough: float, of_place: float) -> list[Estimated]:
    """Forty programmes of six places, two in each of three of six boroughs that move alike."""
    rng = np.random.default_rng(3)
    move = dict(zip("ABCDEF", of_borough * rng.standard_normal(6), strict=True))
    found = []
    for k in range(40):
        names = [name for name in rng.choice(list(move), 3, replace=False) for _ in range(2)]
        places = tuple((str(n), move[n] + of_place * float(rng.standard_normal())) for n in names)
        found.append(Estimated(k, float(np.mean([e for _, e in places])), places))
    return found


def test_boroughs_that_move_alike_make_the_error_of_the_mean_larger() -> None:
    _, by_programme, by_borough = errors(_programmes(0.1, 0.02))
    assert by_borough > 3 * by_programme
    assert by_borough == pytest.approx(0.1 / np.sqrt(6), rel=0.5)


def test_places_that_move_alone_give_both_errors_alike() -> None:
    mean, by_programme, by_borough = errors(_programmes(0.0, 0.1))
    assert by_borough == pytest.approx(by_programme, rel=0.7)
    assert abs(mean) < 3 * by_programme

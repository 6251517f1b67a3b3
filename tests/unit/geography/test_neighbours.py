"""Areas that touch or lie near: the same pairs as from every distance between outlines."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from areaeffect.geography.boundaries import Boundaries, contiguity, within


def outlines(seed: int) -> Boundaries:
    """Return crooked areas of very different sizes, some of two parts."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 5_000, (60, 2))
    sizes = rng.choice([40.0, 300.0, 1_500.0], 60)
    made = [
        shapely.MultiPoint(corner + rng.uniform(0, size, (7, 2))).convex_hull
        for corner, size in zip(corners, sizes, strict=True)
    ]
    made[0] = shapely.MultiPolygon([made[0], shapely.box(9_000, 9_000, 9_050, 9_050)])
    return Boundaries(np.array(made), "EPSG:27700")


@pytest.mark.parametrize("metres", [1.0, 50.0, 400.0, 3_000.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_pairs_are_those_of_all_distances(seed: int, metres: float) -> None:
    areas = outlines(seed)
    drawn = areas.outlines
    near = shapely.distance(drawn[:, None], drawn[None, :]) <= metres
    np.fill_diagonal(near, val=False)

    graph = within(areas, metres)

    assert [graph.of(i).tolist() for i in range(len(drawn))] == [np.flatnonzero(row).tolist() for row in near]


def test_areas_that_only_touch_are_neighbours() -> None:
    squares = [shapely.box(x, y, x + 100, y + 100) for x, y in ((0, 0), (100, 100), (250, 0))]
    graph = contiguity(Boundaries(np.array(squares), "EPSG:27700"))
    assert graph.of(0).tolist() == [1]
    assert graph.of(2).tolist() == []

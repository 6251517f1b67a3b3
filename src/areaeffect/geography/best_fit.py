"""Which areas match a drawn shape: the share of each that lies inside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from areaeffect.results import Floats, Ints

    Outlines = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Pairs of a shape and an area that overlap.

    Parameters
    ----------
    shape, area : (n_pairs,), positions, in ascending order of (shape, area).
    share : (n_pairs,), share of the area inside the shape, 0 to 1; NaN where the area's own
        outline crosses itself, so that its share is unknown.
    size : (n_areas,), surface in square metres, or people, of each area.
    whole : (n_shapes,), the same of each shape, whether in an area or not.
    """

    shape: Ints
    area: Ints
    share: Floats
    size: Floats
    whole: Floats


def area_shares(shapes: Outlines, outlines: Outlines) -> Shares:
    """Return the share of each area's surface inside each shape.

    Parameters
    ----------
    shapes : (n_shapes,), valid polygons in metres.
    outlines : (n_areas,), polygons in the same metres. One that is not valid has no share.
    """
    import shapely

    tree = shapely.STRtree(outlines)
    shape, area = tree.query(shapes)  # bounding boxes: also of outlines that are not valid
    found, place = np.unique(area, return_inverse=True)
    valid = shapely.is_valid(outlines[found])[place]
    shapely.prepare(shapes)
    inside = np.zeros(len(shape), dtype=bool)
    inside[valid] = shapely.contains_properly(shapes[shape[valid]], outlines[area[valid]])
    size = shapely.area(outlines)
    common = np.where(inside, size[area], np.nan)
    cut = ~inside & valid
    common[cut] = shapely.area(shapely.intersection(shapes[shape[cut]], outlines[area[cut]]))
    touched = ~valid | (common > 0)
    shape, area, common = shape[touched], area[touched], common[touched]
    return _sorted(shape, area, common, size, shapely.area(shapes))


def population_shares(shapes: Outlines, outlines: Outlines, points: Floats, people: Floats) -> Shares:
    """Return the share of each area's people inside each shape, from points that people live at.

    Parameters
    ----------
    shapes, outlines : as in `area_shares`.
    points : (n_points, 2), metres: centres of output areas or postcodes.
    people : (n_points,), residents at each.
    """
    import shapely

    places = shapely.points(points)
    tree = shapely.STRtree(places)
    of_area, in_area = tree.query(outlines, predicate="intersects")
    area_of_point = np.full(len(points), len(outlines), dtype=np.int64)
    np.minimum.at(area_of_point, in_area, of_area)  # on a shared border: the lower position
    known = area_of_point < len(outlines)
    total = np.bincount(area_of_point[known], people[known], len(outlines)).astype(np.float64)
    of_shape, in_shape = tree.query(shapes, predicate="intersects")
    drawn = np.bincount(of_shape, people[in_shape], len(shapes)).astype(np.float64)
    here = known[in_shape]
    of_shape, in_shape = of_shape[here], in_shape[here]
    key = of_shape * np.int64(len(outlines)) + area_of_point[in_shape]
    pairs, place = np.unique(key, return_inverse=True)
    common = np.bincount(place, people[in_shape], len(pairs)).astype(np.float64)
    shape, area = pairs // len(outlines), pairs % len(outlines)
    return _sorted(shape, area, common, total, drawn)


def _sorted(shape: Ints, area: Ints, common: Floats, size: Floats, whole: Floats) -> Shares:
    order = np.lexsort((area, shape))
    shape, area, common = shape[order], area[order], common[order]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(size[area] > 0, common / size[area], np.nan)
    return Shares(shape, area, share, size, whole)

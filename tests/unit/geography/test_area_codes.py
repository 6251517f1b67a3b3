"""The packaged area codes: complete, and true to the publisher's counts."""

from __future__ import annotations

import numpy as np
import pytest

from areaeffect.geography.codes import (
    counterparts,
    force_of,
    lookup_to,
    lsoa_pairs,
    msoa_pairs,
    places,
    territorial_forces,
)
from areaeffect.geography.vintages import convert_counts

CODES = {
    "lsoa01": np.unique(lsoa_pairs(2011).old),
    "lsoa11": np.unique(lsoa_pairs(2021).old),
    "lsoa21": np.unique(lsoa_pairs(2021).new),
}


def test_every_census_has_all_its_areas() -> None:
    assert list(map(len, CODES.values())) == [34_378, 34_753, 35_672]


def test_the_exact_fit_lookup_is_the_publishers_third_version() -> None:
    changes = dict(zip(*np.unique(lsoa_pairs(2021).change, return_counts=True), strict=True))
    assert changes == {"U": 33_647, "S": 1_900, "M": 239, "X": 10}
    assert "E01035624" in lsoa_pairs(2021).children("E01027506")


def test_every_area_has_a_force() -> None:
    assert len(territorial_forces()) == 43
    assert (places().force != "").all()
    codes = np.array(["E01000001", "E01011949", "W01000001", "S01000001"])
    assert force_of(codes).tolist() == ["city-of-london", "cleveland", "north-wales", ""]


def test_middle_layer_areas_follow_from_their_lsoas() -> None:
    pairs = msoa_pairs()
    assert (len(np.unique(pairs.old)), len(np.unique(pairs.new))) == (7_201, 7_264)


@pytest.mark.parametrize("vintage", ["lsoa11", "lsoa21"])
@pytest.mark.parametrize("given", ["lsoa01", "lsoa11", "lsoa21"])
def test_every_code_of_any_census_is_known_and_no_count_is_lost(given: str, vintage: str) -> None:
    codes = CODES[given]
    counts = np.arange(len(codes), dtype=float)[:, None] % 7
    result = convert_counts(counts, codes, lookup_to(vintage))
    assert result.values.sum() + counts[np.isin(codes, result.left_out)].sum() == counts.sum()
    assert np.isin(result.codes, CODES[vintage]).all()
    assert np.isin(result.left_out, lookup_to(vintage).old).all()  # none is unknown
    assert len(result.left_out) < 200  # irregular changes


def test_the_counterparts_of_a_code_are_named_in_both_directions() -> None:
    assert counterparts("E01011973") == ("E01035188",)
    assert counterparts("E01035188") == ("E01011973", "E01011976")
    assert counterparts("E01011980") == counterparts("nonsense") == ()

"""The publisher's file of a release and the copy of it, held against each other."""

from __future__ import annotations

import numpy as np

from areaeffect.sources.publishers.panel import lookup_of
from areaeffect.sources.publishers.releases import catalogue
from areaeffect.sources.publishers.tables import read


def assert_the_same(release_id, fetched, copies):
    """What both have is equal, to the last value."""
    release = catalogue()[release_id]
    if not release.is_table:
        ours, theirs = (lookup_of(release_id, root) for root in (fetched, copies))
        pairs = [set(zip(x.old, x.new, x.change, strict=True)) for x in (ours, theirs)]
        assert not pairs[1] - pairs[0]
        assert len(pairs[0] - pairs[1]) == release.files[0].rows - release.copies[0].rows
        return
    ours, theirs = read(release_id, fetched), read(release_id, copies)
    assert ours.areas.tolist() == theirs.areas.tolist()
    both = [c for c in release.columns if c.published and c.copied]
    for column in both:
        if column.kind == "text":
            assert (ours.texts[column.name] == theirs.texts[column.name]).all(), column.name
            continue
        mine, other = ours.values[column.name], theirs.values[column.name]
        if ours.periods is not None:  # the years that both have
            years = set(ours.periods.labels) & set(theirs.periods.labels)
            mine = mine[:, [label in years for label in ours.periods.labels]]
            other = other[:, [label in years for label in theirs.periods.labels]]
            known = np.isfinite(mine) & np.isfinite(other)
            mine, other = np.where(known, mine, 0), np.where(known, other, 0)
        np.testing.assert_allclose(mine, other, rtol=1e-9, err_msg=column.name)

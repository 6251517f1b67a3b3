"""A Dask cluster gives the multiverse that one machine gives, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from areaeffect.commands.multiverse import multiverse
from tests.shared.small_study import edit, write_small_study

DRAWS = 39


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.filterwarnings("default")  # distributed's own remarks are not ours to mend
def test_a_cluster_of_two_workers_gives_the_same_bytes(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    study = write_small_study(tmp_path)
    edit(study, 'boundaries = "areas.geojson"\n', "")  # half as many branches to wait for
    multiverse(study, tmp_path / "one", DRAWS, threads=1)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        multiverse(study, tmp_path / "two", DRAWS, threads=1, cluster=cluster.scheduler_address)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")

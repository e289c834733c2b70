"""The cluster of the bench is the one that the documentation tells."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from bench.forecast.fleet_cluster import CONFIG, cluster
from pipelines.flows.lanes import Places, lanes_of

dask = pytest.importorskip("dask", reason="the extra `dask` is not installed")


def configured(name: str) -> object:
    """What a worker goes by."""
    return dask.config.get(name)


def test_every_setting_is_one_that_dask_knows() -> None:
    """A word that it does not know would do nothing, and nobody would hear of it."""
    import distributed  # noqa: F401 - brings its defaults

    (told,) = dask.config.collect_yaml([CONFIG])
    known = dask.config.merge(*dask.config.defaults)

    def look(part: dict[str, object], beside: dict[str, object], path: str) -> None:
        for name, value in part.items():
            assert name in beside, f"{path}{name}"
            inner = beside[name]
            if isinstance(value, dict):
                assert isinstance(inner, dict)
                look(value, inner, f"{path}{name}.")

    look(told, known, "")


@pytest.mark.slow
def test_its_workers_go_by_the_file_and_are_gone_in_the_end(tmp_path: Path) -> None:
    """Two workers of one thread, found by their scheduler's address."""
    with cluster(tmp_path) as found:
        with lanes_of(Places(dask=found.address)) as lanes:
            assert lanes.width == 4
            name = "distributed.worker.profile.enabled"
            assert lanes.submit(configured, name).result() is False
        tree = [psutil.Process(pid) for pid in found.pids]
        tree += [below for one in tree for below in one.children(recursive=True)]
        assert len(tree) >= 4
    assert not any(one.is_running() and one.status() != "zombie" for one in tree)

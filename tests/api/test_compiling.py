"""What is compiled beside a server, so that who pushes first does not wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

import models
from api.compiling import compile_all, compiling
from api.settings import Settings
from api.stream_settings import StreamSection


def until(is_so: Callable[[], bool]) -> None:
    """Return once a process beside has made it so."""
    give_up = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.02)


@pytest.fixture
def nothing_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what is compiled would be kept: it is empty."""
    place = tmp_path / "cache"
    place.mkdir()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(place))
    return place


@pytest.mark.slow
def test_what_is_compiled_is_not_compiled_by_the_next_server(tmp_path: Path) -> None:
    """Each restart would keep a core busy for seconds, in the middle of rollouts."""
    for old in Path(models.__file__).parent.glob("__pycache__/compiled-*"):
        old.unlink()
    compile_all(tmp_path / "messages")
    with compiling(Settings(data=tmp_path)):
        assert not (tmp_path / "compiling").exists()
    assert list((tmp_path / "messages").glob("stream.db"))
    assert list(Path(models.__file__).parent.glob("__pycache__/compiled-*"))


@pytest.mark.usefixtures("nothing_compiled")
def test_it_ends_with_its_server_and_leaves_nothing(tmp_path: Path) -> None:
    """A server that ends at once would leave a compiler running, and files."""
    with compiling(Settings(data=tmp_path)):
        until((tmp_path / "compiling").exists)
    assert not (tmp_path / "compiling").exists()


@pytest.mark.usefixtures("nothing_compiled")
def test_it_takes_nothing_of_how_the_server_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it pushes to itself would be in the store of everybody."""
    settings = Settings(data=tmp_path)
    monkeypatch.setenv("SERINUS_STREAM__ENABLED", "neither yes nor no")
    monkeypatch.setenv("SERINUS_DATA", str(tmp_path / "elsewhere"))
    with compiling(settings):
        until((tmp_path / "compiling").exists)
    assert not (tmp_path / "elsewhere").exists()


def test_who_takes_nothing_compiles_nothing(tmp_path: Path, nothing_compiled: Path) -> None:
    """A gate alone would pay for a stream that it does not have."""
    with compiling(Settings(data=tmp_path, stream=StreamSection(enabled=False))):
        assert list(tmp_path.iterdir()) == [nothing_compiled]

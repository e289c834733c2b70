"""A first start: the loops that read logs are compiled beside the demo, and the server is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from api.compiling import is_compiled, note_compiled
from api.demo.children import Children
from api.demo.loops import pass_on, start_compilers
from api.demo.scene import Scene
from api.demo.wire import COMPILED
from tests.api.demo.stand import on_stage, python_child

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for what is compiled, with nothing in it."""
    place = tmp_path / "cache"
    place.mkdir()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(place))
    return place


def passed_on(folder: Path, code: str) -> tuple[str, list[str], bool]:
    """What the server and people heard after a compiler that ran `code`; whether it is settled."""

    async def act(children: Children) -> tuple[str, list[str], bool]:
        server = await python_child(children, ECHO, "serinus")
        names = ("one", "two")
        compilers = [await python_child(children, code, name) for name in names]
        scene, settled = Scene(), asyncio.Event()
        await pass_on(compilers, server, scene, settled)
        await server.tell("the end")
        heard = await server.hear(str)
        return heard, [line.text for line in scene.lines], settled.is_set()

    return on_stage(folder, act)


def test_the_server_is_told_once_all_is_compiled(tmp_path: Path) -> None:
    """From then on lines are read; that they are is heard from the server itself."""
    heard, told, is_settled = passed_on(tmp_path, "pass")
    assert (heard, told, is_settled) == (COMPILED, [], False)
    assert is_compiled()


def test_people_are_told_of_a_compiler_that_fails(tmp_path: Path) -> None:
    """Rollouts go on without logs at once, and a line says why."""
    code = "import sys; sys.exit('no such compiler')"
    heard, told, is_settled = passed_on(tmp_path, code)
    assert (heard, is_settled, is_compiled()) == ("the end", True, False)
    [line] = told
    assert line.startswith("logs and traces are not read: ")
    assert line.endswith("ended with 1. no such compiler")


def test_people_are_told_where_nothing_that_is_compiled_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each start would compile anew, in the server itself: it reads no logs then."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file" / "below"))
    heard, [line], is_settled = passed_on(tmp_path, "pass")
    assert (heard, is_settled) == ("the end", True)
    assert line.endswith("cannot be kept here; NUMBA_CACHE_DIR may name a folder")


def test_what_is_compiled_is_not_compiled_again(tmp_path: Path) -> None:
    """Every start but the first has no compiler beside it."""
    note_compiled()
    assert on_stage(tmp_path, start_compilers) == ()

"""Processes of the demo: heard, told, and stopped whatever they do."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

import api
from api.demo.children import Child, ChildError, Children, python
from tests.api.demo.stand import gone, on_stage, python_child

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
DEAF = (
    "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('true', flush=True)\nwhile True: time.sleep(60)"
)


def test_what_is_told_is_heard(tmp_path: Path) -> None:
    """Orders go down and reports come up, a line of JSON each."""

    async def act(children: Children) -> dict[str, int]:
        child = await python_child(children, ECHO)
        await child.tell({"port": 7})
        return await child.hear(dict[str, int])

    assert on_stage(tmp_path, act) == {"port": 7}


def test_lines_come_until_the_end(tmp_path: Path) -> None:
    """What was said before a process ended is not lost."""

    async def act(children: Children) -> list[int]:
        child = await python_child(children, "print(1); print(2)")
        return [line async for line in child.lines(int)]

    assert on_stage(tmp_path, act) == [1, 2]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('no database')", r"child ended with 1:\n.*no database"),
        ("print('hello', flush=True); input()", "child said what is not JSON"),
        ("input()", r"child said nothing for 0\.5 s"),
    ],
    ids=["ends", "nonsense", "silence"],
)
def test_a_process_that_does_not_start_says_why(tmp_path: Path, code: str, words: str) -> None:
    """A person reads the cause, not that a demo failed."""

    async def act(children: Children) -> None:
        child = await python_child(children, code)
        await child.hear(int, within_s=5.0 if "exit" in code or "print" in code else 0.5)

    with pytest.raises(ChildError, match=words):
        on_stage(tmp_path, act)


def test_telling_a_dead_process_is_no_error(tmp_path: Path) -> None:
    """A pod may die between two looks at it."""

    async def act(children: Children) -> int | None:
        child = await python_child(children, "")
        await child.wait()
        await child.tell("anybody there?")
        child.send(signal.SIGTERM)
        await child.stop()
        return child.code

    assert on_stage(tmp_path, act) == 0


def test_a_deaf_process_is_killed(tmp_path: Path) -> None:
    """One that ignores the polite signal does not keep the demo from ending."""

    async def act(children: Children) -> int | None:
        child = await python_child(children, DEAF)
        await child.hear(bool)
        await child.stop(within_s=0.2)
        return child.code

    assert on_stage(tmp_path, act) == -signal.SIGKILL


def test_nothing_runs_after_the_block(tmp_path: Path) -> None:
    """All processes end together, also when the block is left by an error."""
    pids: list[int] = []

    async def act(children: Children) -> None:
        pids.extend([(await python_child(children, ECHO, f"c{n}")).pid for n in range(3)])
        raise RuntimeError("the play is over")

    with pytest.raises(RuntimeError, match="the play is over"):
        on_stage(tmp_path, act)
    assert [gone(pid) for pid in pids] == [True] * 3


def test_children_of_a_child_end_with_it(tmp_path: Path) -> None:
    """A process is stopped with its whole group."""
    code = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(p.pid, flush=True)\ntime.sleep(600)"
    )

    async def act(children: Children) -> int:
        child = await python_child(children, code)
        return await child.hear(int)

    assert gone(on_stage(tmp_path, act))


def test_one_that_was_stopped_is_forgotten(tmp_path: Path) -> None:
    """Its process id may be somebody else's by the end of the demo."""

    async def act(children: Children) -> tuple[int | None, int]:
        child = await python_child(children, ECHO)
        await children.stop(child)
        other = await python_child(children, "raise SystemExit(3)", "other")
        return child.code, await children.forget(other)

    assert on_stage(tmp_path, act) == (-signal.SIGTERM, 3)


def test_errors_of_a_process_are_in_its_log(tmp_path: Path) -> None:
    """And a second process of that name writes behind the first."""

    async def act(children: Children) -> Child:
        for word in ("first", "second"):
            child = await python_child(children, f"import sys; print('{word}', file=sys.stderr)")
            await child.wait()
        return await python_child(children, "")

    child = on_stage(tmp_path, act)
    assert child.log == tmp_path / "child.log"
    assert child.tail() == "first\nsecond\n"


def test_a_child_runs_this_very_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not another `api` in the working directory, and without the user's own settings."""
    (tmp_path / "api").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERINUS_TOKEN", "theirs")
    code = (
        "import api, json, os\n"
        "print(json.dumps([api.__file__, 'SERINUS_TOKEN' in os.environ]), flush=True)"
    )

    async def act(children: Children) -> tuple[str, bool]:
        child = await python_child(children, code)
        return await child.hear(tuple[str, bool])

    assert on_stage(tmp_path, act) == (api.__file__, False)


def test_modules_are_run_apart_from_the_working_directory() -> None:
    """`-P` keeps a folder called `api` of the user's out."""
    assert python("api.demo.pod", "{}")[1:] == ("-P", "-m", "api.demo.pod", "{}")

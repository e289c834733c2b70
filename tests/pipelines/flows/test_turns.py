"""Turns, budgets and memory: many ask at once, one polls, nothing grows for ever."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SourceError, StoreError
from pipelines.flows.turns import Budget, Recent, Turns


def test_one_at_a_time_by_name() -> None:
    """Two polls of one rollout at once would write its samples twice."""
    turns, inside, most = Turns(), 0, 0
    guard = threading.Lock()

    def poll(_: int) -> None:
        nonlocal inside, most
        with turns.of("checkout", timeout_s=30.0):
            with guard:
                inside += 1
                most = max(most, inside)
            time.sleep(0)  # lets another thread in, if anything would
            with guard:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(poll, range(400)))
    assert (inside, most) == (0, 1)


def test_other_names_do_not_wait() -> None:
    """One slow service holds up no other."""
    turns = Turns()
    with turns.of("a", timeout_s=0.0), turns.of("b", timeout_s=0.0):
        pass


@pytest.mark.parametrize("timeout_s", [0.0, -5.0, 0.01])
def test_who_waits_too_long_is_told(timeout_s: float) -> None:
    """No hang: an error that says that others ask the same; the turn itself stays whole."""
    turns = Turns()
    with turns.of("a", timeout_s=1.0), pytest.raises(StoreError, match="ask again later"):
        turns.of("a", timeout_s=timeout_s).__enter__()
    with turns.of("a", timeout_s=0.0):
        pass


def test_an_error_gives_the_turn_back() -> None:
    """A poll that failed must not lock its rollout for ever."""
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.of("a", timeout_s=1.0):
        raise ZeroDivisionError
    with turns.of("a", timeout_s=0.0):
        pass


def test_who_waited_gets_the_turn() -> None:
    """The second asker goes on as soon as the first is done."""
    turns, began, done = Turns(), threading.Event(), threading.Event()

    def second() -> None:
        began.set()
        with turns.of("a", timeout_s=30.0):
            done.set()

    with turns.of("a", timeout_s=1.0):
        thread = threading.Thread(target=second)
        thread.start()
        began.wait(30.0)
        assert not done.is_set()
    thread.join(30.0)
    assert done.is_set()


def test_a_budget_runs_out_with_words() -> None:
    """A question that found no time left says how much it had."""
    assert 0 < Budget(60.0).left_s() <= 60.0
    with pytest.raises(SourceError, match="within 0 s in all"):
        Budget(0.0).left_s()


def test_what_is_asked_again_stays() -> None:
    """The rollout that is polled now is not the one that is forgotten."""
    recent = Recent[int](2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)
    assert [recent.get(name) for name in "abc"] == [1, None, 3]


def test_what_nobody_asks_for_is_unloaded() -> None:
    """A day of finished rollouts would stay in memory beside those that are open."""
    now = [0.0]
    recent = Recent[int](9, idle_s=60.0, clock=lambda: now[0])
    recent.put("done", 1)
    for at in (30.0, 60.0, 61.0):
        now[0] = at
        recent.put("open", 2)
    assert (len(recent), recent.get("done"), recent.get("open")) == (1, None, 2)


def test_asking_for_one_keeps_it_and_lets_the_idle_go() -> None:
    """Polls of one open rollout are all that happens on a quiet night."""
    now = [0.0]
    recent = Recent[int](9, idle_s=60.0, clock=lambda: now[0])
    recent.put("open", 1)
    recent.put("done", 2)
    for at in (50.0, 100.0):
        now[0] = at
        assert recent.get("open") == 1
    assert len(recent) == 1


names = st.sampled_from("abcdef")
uses = st.lists(st.tuples(st.sampled_from(["get", "put", "drop"]), names), max_size=40)


@given(st.integers(1, 4), uses)
def test_the_last_used_are_kept(size: int, uses: list[tuple[str, str]]) -> None:
    """What is asked often stays in memory, and memory has an end."""
    recent, model = Recent[int](size), list[tuple[str, int]]()
    for at, (what, name) in enumerate(uses):
        held = dict(model).get(name)
        rest = [pair for pair in model if pair[0] != name]
        if what == "get":
            assert recent.get(name) == held
            model = model if held is None else [*rest, (name, held)]
        elif what == "put":
            recent.put(name, at)
            model = [*rest, (name, at)][-size:]
        else:
            recent.drop(name)
            model = rest
    assert {name: recent.get(name) for name in "abcdef"} == {
        name: dict(model).get(name) for name in "abcdef"
    }

"""That serinus is blind reaches who wants to hear of it, once, however many replicas say so."""

from __future__ import annotations

from dataclasses import dataclass, field

from detector.gate.blindness import AFTER_S
from detector.gate.telling import NoticeKind, Route
from pipelines.notify.watching import Watching
from pipelines.stores.memory_outbox import MemoryOutbox

ROUTES = (Route(name="chat"), Route(name="ci", kinds=frozenset({NoticeKind.FAIL})))


@dataclass(slots=True)
class Scene:
    """A source that works or not, and a clock."""

    why: str = ""
    now: float = 1_790_000_000.0
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)

    def process(self) -> Watching:
        """One that watches."""
        return Watching({"the source": lambda: self.why}, self.outbox, ROUTES, lambda: self.now)

    def titles(self, to: str = "chat") -> list[str]:
        """What one is told."""
        found = self.outbox.claim(to, now=1e12, lease_s=60.0, most=10)
        return [errand.notice.title for errand in found]


def test_an_outage_is_told_and_that_it_is_over() -> None:
    """To the chat, and not to a receiver of fails."""
    scene = Scene(why="it is down")
    watching = scene.process()
    watching.look()
    scene.now += AFTER_S
    assert not watching.look()
    scene.why, scene.now = "", scene.now + 60
    watching.look()
    assert scene.titles() == ["serinus is blind: the source", "serinus sees again: the source"]
    assert scene.titles("ci") == []


def test_replicas_tell_of_one_outage_once() -> None:
    """They notice within seconds of each other."""
    scene = Scene(why="it is down")
    processes = [scene.process() for _ in range(3)]
    for process in processes:
        process.look()
        scene.now += 1.0
    scene.now += AFTER_S
    for process in processes:
        process.look()
    assert scene.titles() == ["serinus is blind: the source"]


def test_what_works_is_no_news() -> None:
    """A day long."""
    scene = Scene()
    watching = scene.process()
    for _ in range(100):
        watching.look()
        scene.now += 900.0
    assert scene.titles() == []


def test_what_comes_and_goes_is_told_too() -> None:
    """Objectives that fell blind, which nobody can name at the start."""
    scene = Scene()
    more: dict[str, str] = {}
    watching = Watching({}, scene.outbox, ROUTES, lambda: scene.now, more=lambda: more)
    more["the error budget of cart"] = "the counters fell silent"
    watching.look()
    scene.now += AFTER_S
    watching.look()
    more["the error budget of cart"], scene.now = "", scene.now + 60
    watching.look()
    assert scene.titles() == [
        "serinus is blind: the error budget of cart",
        "serinus sees again: the error budget of cart",
    ]

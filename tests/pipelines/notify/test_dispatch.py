"""From the outbox to a receiver: all of it, once, in order, whatever fails between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import stamina

from detector.errors import ConfigError, DeliveryError, StoreError
from detector.gate.telling import DeliveryState, Errand, Notice, Post
from detector.ports import Outbox
from pipelines.notify.dispatch import GIVE_UP_S, LATER_S, LEASE_S, TURN_S, Dispatcher
from pipelines.stores.memory import memory_stores
from pipelines.stores.sqlite import Database
from tests.pipelines.flows.scripted import Clock
from tests.pipelines.notify.briefs import told
from tests.pipelines.notify.receiver import Receiver, notice, receiving


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    """Tries follow each other at once."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@dataclass(slots=True)
class Scripted:
    """A notifier that raises what it is told, and takes notices else."""

    script: list[Exception | None] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    asked: int = 0

    def send(self, notice: Notice) -> None:
        """Take it, or raise."""
        self.asked += 1
        error = self.script.pop(0) if self.script else None
        if error is not None:
            raise error
        self.taken.append(notice.id)


@dataclass(slots=True)
class Desk:
    """A dispatcher with its outbox."""

    notifier: Scripted = field(default_factory=Scripted)
    outbox: Outbox = field(default_factory=lambda: memory_stores().outbox)
    clock: Clock = field(default_factory=Clock)

    def post(self, *ids: str) -> None:
        """Notices of now."""
        now = self.clock.at
        self.outbox.put([Post(notice=notice(id, at=now), to=("ops",)) for id in ids])

    @property
    def made(self) -> Dispatcher:
        """The dispatcher."""
        return Dispatcher(name="ops", notifier=self.notifier, outbox=self.outbox, clock=self.clock)

    def state(self) -> dict[str, int]:
        """How many deliveries are in which state."""
        return {state.value: count for (_, state), count in self.outbox.tally().items()}


def busy(after_s: float | None = None) -> DeliveryError:
    """Not now."""
    return DeliveryError("503", after_s=after_s)


REFUSED = DeliveryError("404", retryable=False)


def test_each_notice_is_told_once_and_in_order() -> None:
    """The outbox is empty afterwards."""
    desk = Desk()
    desk.post("n1", "n2")
    assert [desk.made.turn() for _ in range(3)] == [1, 1, 0]
    assert desk.notifier.taken == ["n1", "n2"]
    assert desk.state() == {"sent": 2}


def test_a_hiccup_is_tried_again_at_once() -> None:
    """Within the same turn, three times at most."""
    desk = Desk(notifier=Scripted([busy(), busy()]))
    desk.post("n1")
    desk.made.turn()
    assert desk.notifier.taken == ["n1"]


def test_a_receiver_that_is_down_is_tried_later() -> None:
    """After half a minute, then less and less often."""
    desk = Desk(notifier=Scripted([busy()] * 6))
    desk.post("n1")
    desk.made.turn()
    assert desk.notifier.asked == 3
    assert desk.made.turn() == 0
    desk.clock.at += LATER_S[0]
    desk.made.turn()
    desk.clock.at += LATER_S[0]
    assert desk.made.turn() == 0
    desk.clock.at += LATER_S[1]
    desk.made.turn()
    assert desk.notifier.taken == ["n1"]


def test_its_wish_for_patience_is_heard() -> None:
    """A minute of Retry-After is a minute, and no further try in this turn."""
    desk = Desk(notifier=Scripted([busy(3600.0)]))
    desk.post("n1")
    desk.made.turn()
    assert desk.notifier.asked == 1
    desk.clock.at += 3599
    assert desk.made.turn() == 0
    desk.clock.at += 1
    assert desk.made.turn() == 1


def test_a_refusal_is_final() -> None:
    """A webhook that was deleted is not asked for a day."""
    desk = Desk(notifier=Scripted([REFUSED]))
    desk.post("n1", "n2")
    desk.made.turn()
    assert (desk.notifier.asked, desk.state()) == (1, {"dropped": 1, "due": 1})
    desk.made.turn()
    assert desk.notifier.taken == ["n2"]


def test_after_a_day_it_is_no_news() -> None:
    """A receiver that comes back after a week is not flooded."""
    desk = Desk(notifier=Scripted([busy()] * 999))
    desk.post("n1")
    for _ in range(60):
        desk.made.turn()
        desk.clock.at += 3600
    assert desk.state() == {"dropped": 1}
    assert desk.notifier.asked < 3 * (len(LATER_S) + GIVE_UP_S / LATER_S[-1])


def test_what_kills_the_process_is_given_up_too() -> None:
    """A plug-in that takes the process with it is not tried for ever."""
    desk = Desk()
    desk.post("n1")
    desk.clock.at += GIVE_UP_S + 1
    desk.made.turn()
    assert (desk.notifier.asked, desk.state()) == (0, {"dropped": 1})


@pytest.mark.parametrize("error", [ValueError("a bug"), ConfigError("no such file")])
def test_an_error_of_a_plug_in_stops_nobody(error: Exception) -> None:
    """Its notice is tried later."""
    desk = Desk(notifier=Scripted([error]))
    desk.post("n1")
    desk.made.turn()
    assert desk.state() == {"due": 1}
    desk.clock.at += LATER_S[0]
    desk.made.turn()
    assert desk.notifier.taken == ["n1"]


# -- those that go on where they told something before


@dataclass(slots=True)
class Chat(Scripted):
    """A chat that names each message."""

    followed: list[tuple[str, str]] = field(default_factory=list)

    def follow(self, errand: Errand) -> str:
        """Take it, or raise; what it is called."""
        self.send(errand.notice)
        self.followed.append((errand.notice.id, errand.receipt))
        return f"ts{len(self.followed)}"


def test_a_chat_goes_on_in_the_message_that_it_has() -> None:
    """It gets what it gave for the notice before, over failures and restarts."""
    desk = Desk(notifier=Chat([None, busy(), busy(), busy()]))
    desk.outbox.put([Post(notice=one, to=("ops",)) for one in (told(0), told(1, "resolved"))])
    desk.clock.at = told(1).at
    assert [desk.made.turn() for _ in range(3)] == [1, 1, 0]
    desk.clock.at += LATER_S[0]
    assert desk.made.turn() == 1
    first, second = told(0).id, told(1).id
    assert desk.notifier.followed == [(first, ""), (second, "ts1")]  # type: ignore[attr-defined]


def test_a_lease_is_longer_than_all_tries() -> None:
    """Or a second process would send what the first still sends."""
    assert LEASE_S > TURN_S + 30.0


def test_the_loop_goes_on_after_a_store_that_failed() -> None:
    """A full disk delays notices; it does not end them."""

    class Failing:
        """An outbox that cannot be read."""

        def __init__(self) -> None:
            self.asked = threading.Event()

        def claim(self, to: str, *, now: float, lease_s: float, most: int) -> list[object]:
            self.asked.set()
            raise StoreError("disk full")

    outbox, stopped = Failing(), threading.Event()
    dispatcher = Dispatcher(
        name="ops",
        notifier=Scripted(),
        outbox=outbox,  # type: ignore[arg-type]
        clock=Clock(),
    )
    thread = threading.Thread(target=dispatcher.run, args=(stopped,))
    thread.start()
    assert outbox.asked.wait(10)
    assert thread.is_alive()
    stopped.set()
    thread.join(10)
    assert not thread.is_alive()


# -- kill -9, with a real process, a real file and a real receiver

CHILD = """
import sys, threading, time
from pathlib import Path
from pipelines.notify.dispatch import Dispatcher
from pipelines.stores.sqlite import Database
from pipelines.notify.webhook import WebhookNotifier
from tests.pipelines.notify.receiver import settings
url, path, ahead = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
clock = lambda: time.time() + ahead
Dispatcher(
    name="ops",
    notifier=WebhookNotifier(settings(url), clock),
    outbox=Database(path).stores().outbox,
    clock=clock,
).run(threading.Event())
"""


def sender(receiver: Receiver, path: Path, ahead: float = 0.0) -> subprocess.Popen[bytes]:
    """A process that sends, whose clock is ahead by so many seconds."""
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", CHILD, receiver.url, str(path), str(ahead)]
    return subprocess.Popen(command, env=environment)


def killed(process: subprocess.Popen[bytes]) -> None:
    """As by kill -9."""
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def ids(receiver: Receiver) -> list[str]:
    """What came, in order."""
    return [got.headers["webhook-id"] for got in receiver.got]


def until(fact: Callable[[], bool]) -> None:
    """Another process writes the store: look now and then."""
    pause = threading.Event()
    for _ in range(600):
        if fact():
            return
        pause.wait(0.05)
    raise AssertionError("it never became so")


def sent(outbox: Outbox) -> int:
    """How many are settled for good."""
    return outbox.tally().get(("ops", DeliveryState.SENT), 0)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """That of a file."""
    database = Database(tmp_path / "serinus.db")
    yield database.stores().outbox
    database.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real one."""
    with receiving() as one:
        yield one


def posted(outbox: Outbox, many: int) -> list[str]:
    """So many notices of the last minute."""
    names = [f"n{n}" for n in range(many)]
    since = time.time() - 60
    for order, name in enumerate(names):
        outbox.put([Post(notice=notice(name, at=since + order), to=("ops",))])
    return names


@pytest.mark.slow
def test_what_was_not_acknowledged_comes_again_after_kill_9(
    tmp_path: Path, outbox: Outbox, receiver: Receiver
) -> None:
    """The process dies while the receiver thinks: it hears of it again, under the same id."""
    posted(outbox, 1)
    receiver.held.clear()
    first = sender(receiver, tmp_path / "serinus.db")
    assert receiver.came.acquire(timeout=60)
    killed(first)
    assert sent(outbox) == 0
    receiver.held.set()
    second = sender(receiver, tmp_path / "serinus.db", ahead=LEASE_S + 5)
    until(lambda: sent(outbox) == 1)
    killed(second)
    assert ids(receiver) == ["n0", "n0"]


@pytest.mark.slow
def test_what_was_acknowledged_does_not_come_again_after_kill_9(
    tmp_path: Path, outbox: Outbox, receiver: Receiver
) -> None:
    """At most the one that was under way does; all others are told once, and none is lost."""
    names = posted(outbox, 40)
    first = sender(receiver, tmp_path / "serinus.db")
    until(lambda: sent(outbox) >= 3)
    killed(first)
    done = sent(outbox)
    assert 0 < done < len(names), "it was killed in the middle"
    second = sender(receiver, tmp_path / "serinus.db", ahead=LEASE_S + 5)
    until(lambda: sent(outbox) == len(names))
    killed(second)
    came = ids(receiver)
    assert set(came) == set(names)
    assert all(came.count(name) == 1 for name in names[:done])
    assert len(came) <= len(names) + 1

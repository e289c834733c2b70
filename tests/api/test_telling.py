"""What tells people, put together from the settings, and shown in `/metrics`."""

from __future__ import annotations

import threading

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from api.notify import NotifierSection, NotifySettings
from api.settings import Settings
from api.telling import open_telling, watch_telling
from detector.errors import ConfigError
from detector.explain.weekly import Shares
from detector.gate.telling import DeliveryState, Post, Settled
from detector.ports import Stores
from pipelines.notify.slack import SlackNotifier
from pipelines.notify.webhook import WebhookNotifier
from pipelines.stores.memory import memory_stores
from tests.api.doors import without
from tests.pipelines.flows.scripted import Clock
from tests.pipelines.notify.receiver import notice, receiving
from tests.pipelines.stores.test_stores import T0

URL = "http://127.0.0.1:9/hook"


def settings(**to: dict[str, object]) -> Settings:
    """A configuration with these receivers."""
    made = {name: NotifierSection.model_validate(section) for name, section in to.items()}
    return Settings(notify=NotifySettings(to=made))


def shown(stores: Stores, shares: Shares | None = None) -> list[str]:
    """What `/metrics` says of it."""
    telling = open_telling(settings(), stores, clock=Clock())
    if shares is not None:
        telling.rounds.shares = shares
    registry = CollectorRegistry()
    watch_telling(registry, telling, stores.outbox)
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_each_receiver_has_a_dispatcher_of_its_kind() -> None:
    """So that a slow one holds up no other."""
    made = open_telling(
        settings(ci={"url": URL, "tries": 5}, chat={"kind": "slack", "url": URL}), memory_stores()
    )
    kinds = {one.name: (type(one.notifier), one.tries) for one in made.dispatchers}
    assert kinds == {"ci": (WebhookNotifier, 5), "chat": (SlackNotifier, 3)}
    assert [route.name for route in made.rounds.routes] == ["ci", "chat"]
    assert made.rounds.weekly is not None


def test_a_receiver_that_cannot_be_stops_the_start() -> None:
    """Not the first notice."""
    with pytest.raises(ConfigError, match="kind 'pager' is unknown"):
        open_telling(settings(ops={"kind": "pager"}), memory_stores())


def test_shares_are_shown_by_reason() -> None:
    """Somebody sees on one graph why rollouts are not decided."""
    shares = Shares(ended=8, inconclusive={"low_traffic": 0.25, "needs_pods": 0.125})
    assert shown(memory_stores(), shares) == [
        "serinus_rollouts_ended 8.0",
        'serinus_inconclusive_share{reason="low_traffic"} 0.25',
        'serinus_inconclusive_share{reason="needs_pods"} 0.125',
    ]


def test_deliveries_are_shown_by_receiver_and_state() -> None:
    """An alert on what was dropped is one line."""
    stores = memory_stores()
    stores.outbox.put([Post(notice=notice(id), to=("ci",)) for id in ("n1", "n2")])
    (errand,) = stores.outbox.claim("ci", now=T0, lease_s=9, most=1)
    stores.outbox.settle(errand, Settled(state=DeliveryState.DROPPED, at=T0, words="404"))
    assert shown(stores)[1:] == [
        'serinus_notices{notifier="ci",state="dropped"} 1.0',
        'serinus_notices{notifier="ci",state="due"} 1.0',
    ]


def test_a_store_that_is_down_does_not_take_the_metrics_away() -> None:
    """They are how one sees that it is down."""
    assert shown(without(memory_stores(), "outbox")) == ["serinus_rollouts_ended 0.0"]


def test_it_starts_tells_and_stops() -> None:
    """What is in the outbox when the process starts is sent; at its end no thread is left."""
    stores = memory_stores()
    stores.outbox.put([Post(notice=notice(), to=("ci",))])
    before = threading.active_count()
    with receiving() as receiver:
        telling = open_telling(
            settings(ci={"url": receiver.url, "allow_private": True}),
            stores,
            clock=Clock(T0 + 1),
        )
        telling.start()
        assert receiver.came.acquire(timeout=20)
        telling.stop()
    assert stores.outbox.tally() == {("ci", DeliveryState.SENT): 1}
    assert threading.active_count() <= before + 1

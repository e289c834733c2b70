"""The trial of the outbox can fail: what is lost, repeated or overtaken is counted as such."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from bench.correlate.outbox import figures, happenings, notice
from bench.correlate.outbox_sinks import Sinks, Took, sinks
from pipelines.notify.slack_app import SlackApp
from pipelines.notify.webhook import cloud_event
from tests.pipelines.notify.test_slack_app import errand, settings

EVERY = [("a", 0, "opened"), ("b", 0, "opened"), ("a", 1, "grew"), ("a", 2, "resolved")]


def took(**threads: list[int]) -> Took:
    """What one receiver took."""
    made = Took()
    made.threads.update(threads)
    return made


def counted(**threads: list[int]) -> dict[str, float]:
    """The figures of one receiver."""
    return figures(EVERY, {"hook": took(**threads)})


def test_all_of_it_once_and_in_order_is_no_fault() -> None:
    """An update that a later one outran need not be told."""
    for a in ([0, 1, 2], [0, 2]):
        assert set(counted(a=a, b=[0]).values()) == {0}


def test_a_receiver_that_never_heard_of_an_incident_is_seen() -> None:
    """The one thing that must not be."""
    assert counted(a=[0, 1, 2])["lost"] == 1


def test_an_end_that_was_not_told_is_seen() -> None:
    """Somebody still looks for what is over."""
    assert counted(a=[0, 1], b=[0])["ends_lost"] == 1


def test_what_came_twice_is_seen_and_is_not_out_of_order() -> None:
    """It is the price of losing nothing; what followed it comes again after it."""
    found = counted(a=[0, 0, 1, 2], b=[0])
    assert (found["duplicate_rate"], found["out_of_order"]) == (1 / 5, 0)


def test_what_came_too_late_is_seen() -> None:
    """An end before its beginning."""
    assert counted(a=[0, 2, 1], b=[0])["out_of_order"] == 1


def test_stories_are_told_in_their_order_among_others() -> None:
    """Each begins, ends, and is the same for the same seed."""
    every = happenings(50, 3)
    assert every == happenings(50, 3)
    assert [one[0] for one in every] != sorted(one[0] for one in every)
    for thread in {one[0] for one in every}:
        nths = [nth for of, nth, _ in every if of == thread]
        whys = [why for of, _, why in every if of == thread]
        assert nths == list(range(len(nths)))
        assert (whys[0], whys[-1]) == ("opened", "resolved")


@pytest.fixture
def hook_body() -> bytes:
    """What a webhook gets."""
    return json.dumps(cloud_event(notice("inc_000007", 3, "grew", at=9.0), None)).encode()


def test_receivers_know_what_they_took(hook_body: bytes) -> None:
    """By thread and number, in both of them."""
    both = Sinks(1)
    both.hook(hook_body)
    assert both.took["hook"].threads == {"inc_000007": [3]}


def test_the_chat_knows_messages_and_lines() -> None:
    """As the product posts them; what it does not take as documented is told."""
    with sinks(1, failing=0.0) as both:
        app = SlackApp(settings(f"{both.url}/api"))
        receipt = app.follow(errand(notice("inc_000007", 0, "opened", at=9.0)))
        for nth, why in ((1, "grew"), (2, "resolved")):
            app.follow(errand(notice("inc_000007", nth, why, at=9.0), receipt))
    assert both.took["chat"].threads == {"inc_000007": [0, 1, 2]}
    assert both.unlike == []


def test_three_calls_in_ten_fail_and_are_not_taken(hook_body: bytes) -> None:
    """In each of the three ways."""
    ways = set()
    with sinks(5) as both:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{both.url}/hook", hook_body, timeout=10).close()
            except urllib.error.HTTPError as error:
                ways.add(error.code)
            except OSError:
                ways.add(0)
    assert ways == {503, 429, 0}
    assert both.failed + both.took["hook"].total == both.calls == 200
    assert 40 < both.failed < 80

"""What people are told who asked for something that is not there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.discovery.asked import Asked, asked_of
from detector.discovery.looking import Look
from detector.discovery.nearest import instead, nearest, unknown_arm, unknown_service
from detector.gate.request import VerdictRequest
from detector.ports import MetricCatalog
from detector.series import Matcher, MatchOp
from detector.signals.packs import shipped_packs
from tests.detector.discovery.clusters import T0, Labels, shop, source
from tests.profiles import HEAVY

words = st.from_regex(r"[a-z]{1,8}(-[a-z]{1,8})?", fullmatch=True)


@HEAVY
@given(words, st.lists(words, max_size=30))
def test_the_name_itself_is_nearest_to_itself(asked: str, names: list[str]) -> None:
    """Whoever typed it right is never sent to another."""
    told = nearest(asked, [*names, asked])
    assert told[0] == asked
    assert len(told) == min(5, len({*names, asked}))


def test_a_typing_error_finds_what_was_meant() -> None:
    """`chekout` is next to `checkout`, though a thousand services begin with `ch`."""
    names = [f"channel-{at}" for at in range(40)] + ["checkout", "cart", "payments"]
    assert nearest("chekout", names)[0] == "checkout"


def test_long_names_are_cut() -> None:
    """One absurd label value does not fill the screen."""
    assert nearest("x", ["x" * 300]) == ["x" * 80 + "..."]


def test_a_selector_that_finds_nothing_is_told_what_there_is() -> None:
    """The values of its label, or the labels that exist instead, without `__name__`."""
    series = [{"__name__": "up", "track": "stable", "pod": "a"}, {"track": "canary", "pod": "b"}]
    wrong_value = [Matcher("track", MatchOp.EQUAL, "canry")]
    assert "track canary, stable" in unknown_arm("canary", "web", wrong_value, series)
    wrong_label = [Matcher("trak", MatchOp.EQUAL, "canary")]
    text = unknown_arm("canary", "web", wrong_label, series)
    assert "no series carries the label trak; they have track, pod" in text
    assert "__name__" not in text
    assert "no label at all" in unknown_arm("canary", "web", wrong_label, [])


def test_a_selector_that_was_told_is_not_told_again() -> None:
    """`No series matches {track="canry"}` is read once, then the names that exist."""
    series = [{"track": "stable", "pod": "a"}, {"track": "canary", "pod": "b"}]
    asked = [Matcher("track", MatchOp.EQUAL, "canry"), Matcher("pod", MatchOp.EQUAL, "b")]
    assert instead(asked, series) == "Nearest: track canary, stable; pod b, a."


@HEAVY
@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=30))
def test_what_is_named_exists(text: str, names: list[str]) -> None:
    """Nobody is sent to a name that was made up; none is named twice; five are enough."""
    told = nearest(text, names)
    assert set(told) <= set(names)
    assert len(told) == len(set(told)) == min(5, len(set(names)))


@HEAVY
@given(words, st.lists(words, max_size=12), st.randoms(use_true_random=False))
def test_names_are_told_in_one_order(text: str, names: list[str], draws: object) -> None:
    """The same question has the same answer, however the source lists its names."""
    shuffled = list(names)
    draws.shuffle(shuffled)  # type: ignore[attr-defined]
    assert nearest(text, shuffled) == nearest(text, names)


# -- services


def ask(service: str = "chekout", **scope: str) -> Asked:
    request = VerdictRequest(service=service, canary='{track="canary"}', **scope)  # type: ignore[arg-type]
    return asked_of(request)


def told(
    asked: Asked,
    series: Sequence[Labels],
    *,
    names: frozenset[str] | None = None,
    catalog: MetricCatalog | None = None,
) -> str:
    """What a person reads of a service of which nothing was found but these series."""
    look = Look(catalog=catalog or source(series), start=T0, end=T0 + 600, timeout_s=5)
    found: dict[str, list[Labels]] = {}
    for labels in series:
        found.setdefault(labels["__name__"], []).append(labels)
    known = frozenset(found) if names is None else names
    return unknown_service(look, shipped_packs(), known, asked, found)


def test_a_service_that_is_misspelt_is_told_its_name() -> None:
    """One letter too few: the right name is in the answer."""
    assert told(ask(), shop()) == ("No request metric names a service chekout; nearest: checkout.")


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        ({"namespace": "prod"}, "checkout is not in the namespace prod; it is in shop."),
        ({"cluster": "eu"}, "checkout is not in the cluster eu; it is in us."),
    ],
)
def test_a_service_elsewhere_is_told_where(scope: dict[str, str], text: str) -> None:
    """The name is right; the scope is what has to be mended."""
    series = [labels | {"cluster": "us"} for labels in shop()]
    assert told(ask("checkout", **scope), series) == text


def test_a_source_without_any_request_metric_is_told_what_packs_know() -> None:
    """It is no typing error: the service's conventions need a pack."""
    names = frozenset({"up", "go_goroutines", "orders_total"})
    text = told(ask(), [], names=names)
    assert text.startswith("None of the source's 3 metrics counts requests as a pack knows them (")
    assert "prometheus-client" in text
    assert "istio" in text
    assert "kube-state-metrics" not in text
    assert text.endswith("add a pack for yours.")


def test_an_empty_source_says_so() -> None:
    """A wrong URL that answers nothing is seen at once."""
    assert "source's 0 metrics" in told(ask(), [])


def test_request_metrics_that_name_nobody_have_no_nearest() -> None:
    """Rather than a sentence that ends in nothing."""
    series: list[Labels] = [{"__name__": "http_requests_total", "code": "200"}]
    assert told(ask(), series) == "No series of a request metric names any service at that time."

"""What no pack can say is refused by name, at start and not in a verdict."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError
from detector.signals.packs import parse_pack, shipped_packs
from detector.signals.signal import Unit

GOOD = """\
name: ours
title: Our own framework
published: https://example.com/metrics
requests:
  - metric: shop_calls_total
    errors: {labels: [result], match: "failed|refused"}
durations:
  - metric: shop_call_seconds_bucket
health: {call: ping}
"""


def refused(text: str) -> str:
    """The message with which a pack is refused."""
    with pytest.raises(ConfigError) as caught:
        parse_pack(text, origin="ours.yaml")
    return str(caught.value)


def test_a_pack_is_read() -> None:
    """What people write for their own metrics is taken as it stands."""
    pack = parse_pack(GOOD, origin="ours.yaml")
    assert (pack.name, pack.unit, pack.health) == ("ours", Unit.POD, {"call": "ping"})
    assert pack.requests[0].errors.match == "failed|refused"
    assert pack.services[0] == "service"


@pytest.mark.parametrize(
    ("found", "written", "told"),
    [
        pytest.param("title:", "titel:", "unknown key titel; there are name, title,", id="a slip"),
        pytest.param(
            "errors: {",
            "errors: {lables: [x], ",
            "unknown key requests[0].errors.lables",
            id="deep",
        ),
        pytest.param("title: Our own framework\n", "", "missing required field `title`", id="less"),
        pytest.param(
            "labels: [result], ", "", "requests[0].errors.labels: say which label", id="no labels"
        ),
        pytest.param(
            "requests:", "unit: machine\nrequests:", "unit: Invalid enum value 'machine'", id="unit"
        ),
        pytest.param(
            '"failed|refused"', "5", "requests[0].errors.match: Expected `str`", id="type"
        ),
        pytest.param("failed|refused", "(", "requests[0].errors.match: the regular", id="regex"),
        pytest.param("ping}", '"["}', "health.call: the regular expression", id="health"),
        pytest.param("_seconds_bucket", "_seconds", "does not end in _bucket", id="no buckets"),
        pytest.param(
            "_bucket\n", "_bucket\n    scale: 0\n", "durations[0].scale", id="scale of nothing"
        ),
    ],
)
def test_a_slip_is_named(found: str, written: str, told: str) -> None:
    """The message says the key and what it may be, so that the next try is right."""
    assert found in GOOD
    message = refused(GOOD.replace(found, written))
    assert message.startswith("ours.yaml: ")
    assert told in message


@pytest.mark.parametrize("direction", ["down", "both"])
def test_a_signal_is_not_judged_against_its_direction(direction: str) -> None:
    """Only rises are judged: fewer orders would have passed as an improvement, and more failed."""
    extra = (
        "signals:\n  - {name: payments, kind: ratio, metric: payments_total, judged: true,"
        f" direction: {direction}, errors: {{labels: [result], match: failed}}}}\n"
    )
    assert "signals[0].direction: what is judged has its harm upwards" in refused(GOOD + extra)
    shown = parse_pack(GOOD + extra.replace("judged: true", "judged: false"), origin="ours.yaml")
    assert shown.signals[0].direction == direction


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", "a pack is a mapping of keys: name, title", id="empty"),
        pytest.param("- name", "a pack is a mapping", id="a list"),
        pytest.param("name: [", "is not YAML", id="half a file"),
        pytest.param(
            "name: a\ntitle: b\npublished: c\n", "neither requests nor resources", id="bare"
        ),
        pytest.param("&a [*a]", "a pack is a mapping", id="itself"),
        pytest.param("!!python/object/apply:os.system [ls]", "is not YAML", id="code"),
    ],
)
def test_what_is_no_pack_is_refused(text: str, told: str) -> None:
    """Neither a wrong file nor a hostile one gets further than its name."""
    assert told in refused(text)


def test_durations_need_requests() -> None:
    """A histogram without the traffic it belongs to cannot be assigned to pods."""
    start, end = GOOD.index("requests:"), GOOD.index("durations:")
    assert "without requests" in refused(GOOD[:start] + GOOD[end:])


@given(st.text(max_size=80))
def test_any_text_is_a_pack_or_refused(text: str) -> None:
    """No file ends the start with anything but the error that names it."""
    with contextlib.suppress(ConfigError):
        parse_pack(text, origin="ours.yaml")


def test_the_pack_of_the_documentation_is_one() -> None:
    """What people copy from docs/signals.md is taken."""
    text = (Path(__file__).parents[4] / "docs" / "signals.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(name:.*?)```", text, flags=re.DOTALL)
    pack = parse_pack(block, origin="docs/signals.md")
    assert pack.requests[0].errors.match == "failed|timeout"


def test_shipped_packs_have_names_of_their_own() -> None:
    """Two packs of one name could not be told apart in a plan."""
    names = [pack.name for pack in shipped_packs()]
    assert len(set(names)) == len(names)
    assert {"prometheus-client", "opentelemetry-http", "grpc-server", "istio", "cadvisor"} <= set(
        names
    )


def test_shipped_packs_say_where_their_names_come_from() -> None:
    """Whoever doubts a metric's meaning can look it up."""
    assert all(pack.published.startswith("https://") and pack.title for pack in shipped_packs())


def test_a_role_is_read_in_a_shape_that_it_has() -> None:
    """A start time read as a counter would be an event a second."""
    resource = "resources:\n  - {role: start_time, metric: born_seconds, shape: counter}\n"
    message = refused(GOOD + resource)
    assert message.endswith("resources[0].shape: for the role start_time it is one of start_time")


@pytest.mark.parametrize("scale", [".nan", ".inf", "-1"])
def test_a_scale_is_a_factor(scale: str) -> None:
    """A unit that is no number would make every latency none."""
    message = refused(GOOD.replace("_bucket\n", f"_bucket\n    scale: {scale}\n"))
    assert "durations[0].scale" in message

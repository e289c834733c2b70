"""`serinus slo suggest` on a real Prometheus of four weeks, and what `status` makes of its file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.cli.served import serinus
from tests.servers import make_blocks, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

STEP = 300
# Days of history, and which share fails.
SERVICES = {"checkout": (28, 0.0004), "young": (6, 0.0), "broken": (28, 0.4)}


def history(now: float) -> str:
    """Two pods of checkout, one of the others, each 500 requests in five minutes."""
    lines = ["# TYPE http_requests counter"]
    for service, (days, share) in SERVICES.items():
        begin = int(now) - days * 86_400
        for pod in (1, 2) if service == "checkout" else (1,):
            own = f'service="{service}",namespace="shop",pod="{service}-5d4f-{pod}"'
            for code, part in (("200", 1 - share), ("500", share)):
                for nth, at in enumerate(range(begin, int(now), STEP)):
                    value = 500 * part * nth
                    lines.append(f'http_requests_total{{{own},code="{code}"}} {value:.3f} {at}')
    return "\n".join([*lines, *durations(now), "# EOF", ""])


def durations(now: float) -> list[str]:
    """Of broken: three requests in two thousand take more than 0.3 seconds."""
    name, begin = "http_request_duration_seconds", int(now) - 28 * 86_400
    lines = [f"# TYPE {name} histogram"]
    own = 'service="broken",namespace="shop",pod="broken-5d4f-1"'
    for le, part in (("0.3", 0.9985), ("+Inf", 1.0)):
        for nth, at in enumerate(range(begin, int(now), STEP)):
            lines.append(f'{name}_bucket{{{own},le="{le}"}} {500 * part * nth:.3f} {at}')
    return lines


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One for the module."""
    folder = tmp_path_factory.mktemp("prometheus")
    make_blocks(history(time.time()), folder / "data")
    with running_prometheus("prometheus2", folder) as server:
        yield server.url


def suggest(source: str, service: str, *more: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    result = serinus("slo", "suggest", "--service", service, "--prometheus", source, *more)
    assert result.stdout, result.output
    return result.exit_code, result.stdout


def test_what_is_suggested_is_a_file_that_status_reads(source: str, tmp_path: Path) -> None:
    """From nothing to a budget in two commands."""
    code, text = suggest(source, "checkout", "--namespace", "shop")
    print(text)
    assert code == 0
    assert "availability: 99.95" in text.splitlines()
    file = tmp_path / "slo.yaml"
    file.write_text(text, "utf-8")
    shown = serinus("slo", "status", str(file), "--prometheus", source, "--format", "json")
    [found] = json.loads(shown.stdout)
    assert (found["service"], found["target"], shown.exit_code) == ("checkout", 0.9995, 0)
    assert found["budget"]["left"] == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize(
    ("service", "why"),
    [("young", "not enough history: needs 14 days"), ("broken", "even 90% was kept in only 0%")],
)
def test_where_nothing_can_be_promised_it_says_why(source: str, service: str, why: str) -> None:
    """And its file has no objective."""
    code, text = suggest(source, service)
    assert code == 3
    assert why in text
    assert all(line.startswith("#") for line in text.splitlines())


def test_a_latency_is_suggested_by_its_bucket(source: str, tmp_path: Path) -> None:
    """Which status counts as it was said; an edge that there is not names those that there are."""
    code, text = suggest(source, "broken", "--below", "0.3")
    print(text)
    assert code == 0
    assert "latency: {below: 0.3, objective: 99.8}" in text.splitlines()
    assert "within 0.3 s" in text
    file = tmp_path / "slo.yaml"
    file.write_text(text, "utf-8")
    shown = serinus("slo", "status", str(file), "--prometheus", source, "--format", "json")
    [found] = json.loads(shown.stdout)
    assert (found["name"], shown.exit_code) == ("broken-latency", 0)
    assert found["budget"]["left"] == pytest.approx(0.25, abs=0.02)
    wrong = serinus(
        "slo", "suggest", "--service", "broken", "--prometheus", source, "--below", "0.2"
    )
    assert "nearest are 0.3" in wrong.output


def test_programs_get_numbers(source: str) -> None:
    """With what was looked at."""
    code, text = suggest(source, "checkout", "--format", "json")
    found = json.loads(text)
    assert code == 0
    assert found["best"]["target"] == 0.9995
    assert len(found["reaches"]) == 12
    assert found["days"] == pytest.approx(28, abs=0.1)


def test_a_service_that_nobody_knows_is_an_error(source: str) -> None:
    """Not an empty month."""
    result = serinus("slo", "suggest", "--service", "nobody", "--prometheus", source)
    assert result.exit_code not in (0, 3)
    assert "nobody" in result.output

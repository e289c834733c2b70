"""The commands on a real Prometheus that scraped a healthy and a bad canary."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.cli.process import CODE, served
from tests.api.cli.served import serinus
from tests.docs import prometheus
from tests.servers import RunningPrometheus, make_blocks, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

HEALTHY = '{pod=~"checkout-6d9f7c-.+"}'
BAD = '{pod=~"checkout-7f8b9d-.+"}'
STABLE = '{pod=~"checkout-5c4b8d-.+"}'
BAD_PODS = [f"checkout-7f8b9d-{name}" for name in ("b2c4d", "f6g8h", "j3k5m")]
ERRORS = 0.05


def history(now: float) -> str:
    """The healthy shop of the documents, and three pods beside it that fail 5 % of requests."""
    lines = prometheus.openmetrics(now).splitlines()
    at = lines.index("# TYPE http_request_duration_seconds histogram")
    bad = [
        line
        for pod in BAD_PODS
        for code, share in (("200", 1 - ERRORS), ("500", ERRORS))
        for line in prometheus._counter(
            "http_requests_total", pod, f'code="{code}"', share, now - prometheus.CANARY_S, now
        )
    ]
    return "\n".join([*lines[:at], *bad, *lines[at:], ""])


@contextmanager
def fresh_prometheus(folder: Path) -> Iterator[RunningPrometheus]:
    """A Prometheus with that history, made now."""
    folder.mkdir(parents=True, exist_ok=True)
    make_blocks(history(time.time()), folder / "data")
    with running_prometheus("prometheus2", folder) as server:
        yield server


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with fresh_prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server.url


def ask(canary: str, *words: str) -> tuple[int, dict[str, object]]:
    """Exit code and body of a check."""
    base = ["check", "--service", "checkout", "--canary", canary, "--control", STABLE]
    result = serinus(*base, *words, "--format", "json")
    assert result.stdout, result.output
    body: dict[str, object] = json.loads(result.stdout)
    return result.exit_code, body


def reason(body: dict[str, object]) -> str:
    found = body["reason"]
    assert isinstance(found, dict)
    return str(found["code"])


def test_bad_canary_is_1(source: str) -> None:
    """Without a server, a configuration or a query."""
    code, body = ask(BAD, "--prometheus", source)
    assert (code, reason(body)) == (1, "error_rate_up")


def test_healthy_canary_is_no_fail(source: str) -> None:
    """Twenty minutes, the same as its control; the history ends when it was made, and ages."""
    code, body = ask(HEALTHY, "--prometheus", source)
    assert code in {0, 3}
    assert body["outcome"] != "fail"
    signals = body["signals"]
    assert isinstance(signals, list)
    assert {s["outcome"] for s in signals if s["required"]} == {"pass"}


def test_text_names_errors_and_where_to_read_on(source: str) -> None:
    """What somebody reads in the log of a pipeline."""
    base = ["check", "--service", "checkout", "--canary", BAD, "--control", STABLE]
    result = serinus(*base, "--prometheus", source)
    first, *_ = result.stdout.splitlines()
    assert first.startswith("fail: Errors")
    assert "error_rate  fail" in result.stdout
    assert "docs/troubleshooting.md#error_rate_up" in result.stdout


def test_selector_of_nothing_names_the_nearest(source: str) -> None:
    """A mistyped hash is undecided, with the names that exist."""
    code, body = ask('{pod=~"checkout-6d9f7d-.+"}', "--prometheus", source)
    assert (code, reason(body)) == (3, "no_canary_data")
    assert "checkout-6d9f7c-" in json.dumps(body)


def test_source_that_is_down_is_undecided() -> None:
    """Prometheus is not there: neither a pass nor a fail."""
    code, body = ask(HEALTHY, "--prometheus", "http://127.0.0.1:9")
    assert (code, reason(body)) == (3, "source_unavailable")


def test_wait_without_a_server_ends_at_the_fail(source: str) -> None:
    """One process asks, judges and waits."""
    code, _ = ask(BAD, "--prometheus", source, "--wait", "--timeout", "1m")
    assert code == 1


def test_kept_verdict_is_decided_and_replayed(source: str, tmp_path: Path) -> None:
    """With --data the records stay: replay, override and break-glass without a server."""
    data = ("--data", str(tmp_path))
    _, body = ask(BAD, "--prometheus", source, *data)
    replayed = serinus("replay", str(body["id"]), *data)
    assert replayed.exit_code == 0, replayed.output
    why = ("--reason", "known noise")
    decision = ("--outcome", "pass", "--for", "1h", *why)
    assert serinus("override", str(body["attempt"]), *decision, *data).exit_code == 0
    code, after = ask(BAD, "--prometheus", source, *data)
    assert (code, reason(after)) == (0, "overridden")


def test_kept_mode_holds_for_the_next_check(source: str, tmp_path: Path) -> None:
    """Breaking the glass needs no server."""
    data = ("--data", str(tmp_path))
    ask(HEALTHY, "--prometheus", source, *data)
    serinus("mode", "shadow", "--all", "--reason", "moving house", *data)
    code, body = ask(BAD, "--prometheus", source, *data)
    assert (code, body["outcome"], body["answer"]) == (0, "fail", "pass")


def test_past_is_asked_and_nothing_is_written(source: str, tmp_path: Path) -> None:
    """What was due an hour ago: before the canary came."""
    moment = str(time.time() - 3600)
    code, body = ask(BAD, "--prometheus", source, "--as-of", moment, "--data", str(tmp_path))
    assert (code, reason(body)) == (3, "no_canary_data")


@pytest.mark.slow
def test_latched_fail_outlives_kill_9_and_its_source(tmp_path: Path) -> None:
    """serinus is killed and Prometheus lost between two polls: the fail stands."""
    data = str(tmp_path / "records")
    with fresh_prometheus(tmp_path / "prometheus") as source:
        with served("--prometheus", source.url, "--data", data) as server:
            code, before = ask(BAD, "--server", server.url)
            assert code == 1
            server.end(signal.SIGKILL)
        with served("--prometheus", source.url, "--data", data) as server:
            code, again = ask(BAD, "--server", server.url)
            assert (code, again["attempt"]) == (1, before["attempt"])
            server.end(signal.SIGKILL)
    with served("--prometheus", "http://127.0.0.1:9", "--data", data) as server:
        code, after = ask(BAD, "--server", server.url)
        replayed = serinus("replay", str(before["id"]), "--server", server.url)
    assert (code, after["attempt"]) == (1, before["attempt"])
    assert replayed.exit_code == 0, replayed.output


@pytest.mark.slow
def test_wait_sits_out_a_restart_of_the_server(source: str, tmp_path: Path) -> None:
    """An upgrade in the middle of a wait neither ends it nor begins a new attempt."""
    flags = ("--prometheus", source, "--data", str(tmp_path))
    with served(*flags) as first:
        port = first.url.rsplit(":", 1)[1]
        _, before = ask(BAD, "--server", first.url)
        first.end(signal.SIGKILL)
    # The port is free for a moment: what waits finds nobody, and asks on.
    waiting = subprocess.Popen(
        [
            sys.executable, "-c", CODE, "check", "--service", "checkout", "--canary", BAD,
            "--control", STABLE, "--server", first.url, "--wait", "--every", "1s",
            "--timeout", "60s", "--format", "json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert waiting.stderr is not None
    assert "no answer" in waiting.stderr.readline()
    with served(*flags, "--port", port):
        out, _ = waiting.communicate(timeout=90)
    assert waiting.returncode == 1
    assert json.loads(out)["attempt"] == before["attempt"]

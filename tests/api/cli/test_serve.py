from __future__ import annotations

import json
import signal
import socket
import sqlite3
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from api.cli.serving import listening
from detector.errors import ConfigError
from pipelines.testing import FaultServer, Misbehaviour
from tests.api.cli.process import served, start
from tests.api.cli.served import serinus

pytestmark = pytest.mark.slow

JSON = {"Content-Type": "application/json"}
QUESTION = json.dumps({"service": "checkout", "canary": "{pod='a'}"}).encode()


@pytest.fixture
def empty(tmp_path: Path) -> tuple[str, ...]:
    """Flags of a server whose source holds nothing."""
    config = tmp_path / "serinus.yaml"
    config.write_text("source: {kind: memory}\n", encoding="utf-8")
    return ("--config", str(config), "--data", str(tmp_path / "data"))


def status_of(url: str, body: bytes | None = None, **headers: str) -> int:
    """Status of a request."""
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def until(fact: Callable[[], bool]) -> None:
    """Look until it is so; there is no event in another process."""
    clock = threading.Event()
    for _ in range(1500):
        if fact():
            return
        clock.wait(0.02)
    raise TimeoutError


def test_it_greets_answers_and_ends_with_0(empty: tuple[str, ...], tmp_path: Path) -> None:
    """A person sees where it is and what it reads; an orchestrator's SIGTERM is no error."""
    with served(*empty) as server:
        assert str(tmp_path / "data") in server.told[0]
        assert "without a token" in server.told[0]
        assert "reads the source 'memory'" in server.told[0]
        assert status_of(f"{server.url}/healthz") == 200
        assert status_of(f"{server.url}/readyz") == 200
        assert server.end() == 0


def test_ctrl_c_is_an_orderly_end(empty: tuple[str, ...]) -> None:
    """Without a traceback."""
    with served(*empty) as server:
        status_of(f"{server.url}/healthz")
        assert server.end(signal.SIGINT) == 0
        assert not [line for line in server.told if "Traceback" in line]


def test_what_is_under_way_is_answered_before_the_end(tmp_path: Path) -> None:
    """An upgrade in the middle of a question is an answer, not a broken connection."""
    with FaultServer() as source, ThreadPoolExecutor() as pool:
        source.behave(Misbehaviour.BLACK_HOLE)
        flags = ("--prometheus", source.url, "--data", str(tmp_path))
        quiet = {"SERINUS_LIMITS__SOURCE_S": "2", "SERINUS_CHANGES__INFERRED": "false"}
        with served(*flags, **quiet) as server:
            asked = pool.submit(
                status_of,
                f"{server.url}/v1/verdicts",
                QUESTION,
                **{"Content-Type": "application/json"},
            )
            # Whether the source answers is asked from the start, before any question.
            until(lambda: any(b"serinus_probe" not in one.body for one in source.requests))
            assert server.end() == 0
        assert asked.result(timeout=30) == 200


def test_port_in_use_is_told(empty: tuple[str, ...]) -> None:
    """With the port, and before the store is touched."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        server = start(*empty, "--port", port)
    assert server.process.returncode == 2
    assert f"127.0.0.1:{port}" in server.told[-1]
    assert "in use" in server.told[-1]
    assert "--port" in server.told[-1]


def test_address_of_another_machine_is_told() -> None:
    """192.0.2.0/24 is nobody's."""
    with pytest.raises(ConfigError, match="an address of this machine"), listening("192.0.2.1", 0):
        pass


def test_name_that_does_not_resolve_is_told() -> None:
    """As the address that it is not."""
    with pytest.raises(ConfigError, match=r"nowhere\.invalid"), listening("nowhere.invalid", 0):
        pass


def test_ipv6_is_listened_on() -> None:
    """`::1` is this machine as well."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with listening("::1", 0) as door:
        assert door.family == socket.AF_INET6


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_nobody_else_is_let_in_without_a_token(host: str, tmp_path: Path) -> None:
    """The message says both ways out, and nothing has been opened."""
    data = tmp_path / "data"
    result = serinus("serve", "--host", host, "--data", str(data))
    assert result.exit_code == 2
    assert "SERINUS_TOKEN" in result.stderr
    assert "--insecure" in result.stderr
    assert not data.exists()


def test_short_token_is_refused(tmp_path: Path) -> None:
    """It could be guessed."""
    result = serinus("serve", "--host", "0.0.0.0", "--data", str(tmp_path), SERINUS_TOKEN="short")
    assert result.exit_code == 2
    assert "8 characters" in result.stderr


def test_token_guards_every_interface(empty: tuple[str, ...]) -> None:
    """With a token it listens anywhere, and asks for it."""
    token = "correct-horse"
    with served(*empty, "--host", "0.0.0.0", SERINUS_TOKEN=token) as server:
        assert "with a token" in server.told[0]
        assert token not in server.told[0]
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert status_of(f"{url}/v1/verdicts") == 401
        assert status_of(f"{url}/v1/verdicts", Authorization=f"Bearer {token}") == 200
        assert status_of(f"{url}/healthz") == 200


def test_insecure_is_a_decision(empty: tuple[str, ...]) -> None:
    """Something before serinus checks callers."""
    with served(*empty, "--host", "0.0.0.0", "--insecure") as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert status_of(f"{url}/v1/verdicts") == 200


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prot: 8080", "prot"),
        ("source: {kind: nope}", "nope"),
        ("source: {url: 'ftp://x'}", "source url"),
        ("packs: [nope.yaml]", "nope.yaml"),
        ("policies: {default: {alpha: 2}}", "alpha"),
    ],
)
def test_wrong_configuration_is_2_and_named(tmp_path: Path, text: str, told: str) -> None:
    """At the start, not at the first question."""
    config = tmp_path / "serinus.yaml"
    config.write_text(text, encoding="utf-8")
    data = str(tmp_path / "data")
    result = serinus("serve", "--config", str(config), "--data", data, "--port", "0")
    assert result.exit_code == 2, result.output
    assert told in result.stderr


def test_store_that_cannot_be_opened_is_told(empty: tuple[str, ...], tmp_path: Path) -> None:
    """A file where the directory should be."""
    (tmp_path / "data").write_text("", encoding="utf-8")
    result = serinus("serve", *empty, "--port", "0")
    assert result.exit_code == 4
    assert str(tmp_path / "data") in result.stderr
    assert "Traceback" not in result.stderr


def reason_of(url: str) -> str:
    """The reason of an answer."""
    request = urllib.request.Request(f"{url}/v1/verdicts", data=QUESTION, headers=JSON)
    with urllib.request.urlopen(request, timeout=30) as answer:
        told = json.loads(answer.read())
    assert told["outcome"] == "inconclusive"
    return str(told["reason"]["text"])


def test_after_a_restart_nothing_is_planned_until_its_counters_are_there(
    empty: tuple[str, ...], tmp_path: Path
) -> None:
    """A rollout that is asked in the first seconds would be judged without its log lines for good.

    A backup that holds the database makes those seconds long.
    """
    with served(*empty) as server:
        until((tmp_path / "data" / "stream.db").exists)
        assert reason_of(server.url).startswith("No series of checkout")
        assert server.end() == 0
    with closing(sqlite3.connect(tmp_path / "data" / "stream.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        with served(*empty) as server:
            assert "the stream is not open yet" in reason_of(server.url)
            other.execute("rollback")
            until(lambda: "No series" in reason_of(server.url))
            assert server.end() == 0

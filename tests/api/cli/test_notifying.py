"""`serinus notify` and `serinus serve` with receivers: from a verdict to a message."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from tests.api.cli.process import served
from tests.api.cli.served import serinus
from tests.api.cli.test_real import BAD, STABLE, fresh_prometheus
from tests.pipelines.notify.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """One that answers 204."""
    with receiving() as one:
        yield one


def configured(folder: Path, receiver: Receiver, *more: str) -> Path:
    """A configuration with a webhook and a Slack channel at that receiver."""
    path = folder / "serinus.yaml"
    lines = [
        *more,
        "notify:",
        "  public_url: https://serinus.example.org",
        "  to:",
        f"    ci: {{url: '{receiver.url}', secret: abc, allow_private: true}}",
        f"    chat: {{kind: slack, url: '{receiver.url}', allow_private: true, kinds: [fail]}}",
        f"    strict: {{url: '{receiver.url}'}}",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_test_notice_arrives(receiver: Receiver, tmp_path: Path) -> None:
    """Before the first fail somebody sees that it would be heard."""
    config = configured(tmp_path, receiver)
    for name in ("ci", "chat"):
        result = serinus("notify", name, "--config", str(config))
        assert result.exit_code == 0, result.output
        assert f"{name} acknowledged the test notice" in result.stderr
    event, message = (json.loads(got.body) for got in receiver.got)
    assert event["type"] == "serinus.notice.test.v1"
    assert message["blocks"][0]["text"]["text"] == ":wave: A test from serinus"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("nobody", 2, "there is no notifier 'nobody'; there are ci, chat, strict"),
        ("strict", 4, "is private; set allow_private: true"),
    ],
)
def test_what_would_not_arrive_is_told(
    receiver: Receiver, tmp_path: Path, name: str, code: int, words: str
) -> None:
    """With what to mend."""
    result = serinus("notify", name, "--config", str(configured(tmp_path, receiver)))
    assert (result.exit_code, words in result.stderr) == (code, True), result.output
    assert receiver.got == []


def test_a_refusal_is_told(receiver: Receiver, tmp_path: Path) -> None:
    """As the receiver put it."""
    receiver.answers(404)
    receiver.words = b"no_service"
    result = serinus("notify", "ci", "--config", str(configured(tmp_path, receiver)))
    assert result.exit_code == 4
    assert "notifier 'ci' answered 404: no_service" in result.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("notify: {weekly: sometimes}", "write monday 09:00"),
        ("notify: {public_url: serinus.example.org}", "is not http:// or https://"),
        ("notify: {to: {ci: {kinds: [fails]}}}", "notify.to.ci.kinds"),
        ("notify: {to: {ci: {urll: x}}}", "notify.to.ci.urll"),
        ("notify: {to: {ci: {timeout_s: 99}}}", "must be <= 30"),
        ("notify: {to: {ci: {}}}", "give one of url, url_file"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, line: str, words: str) -> None:
    """At the start, not at the first fail."""
    path = tmp_path / "serinus.yaml"
    path.write_text(line, encoding="utf-8")
    result = serinus("notify", "ci", "--config", str(path))
    assert result.exit_code == 2
    assert words in result.stderr


def until(fact: Callable[[], bool], *, tries: int = 600) -> None:
    """Look until it is so; there is no event in another process."""
    pause = Event()
    for _ in range(tries):
        if fact():
            return
        pause.wait(0.05)
    raise TimeoutError


def asked(url: str) -> dict[str, str]:
    """The answer about the bad canary."""
    body = {"service": "checkout", "canary": BAD, "control": STABLE}
    request = urllib.request.Request(
        f"{url}/v1/verdicts",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        told: dict[str, str] = json.load(answer)
        return told


def metrics(url: str) -> str:
    """What is scraped."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=20) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_fail_reaches_both_receivers_once(receiver: Receiver, tmp_path: Path) -> None:
    """On a real Prometheus with a bad canary: asked three times, told once to each."""
    with fresh_prometheus(tmp_path / "prometheus") as source:
        config = configured(tmp_path, receiver, f"source: {{url: '{source.url}'}}")
        words = ("--config", str(config), "--data", str(tmp_path / "data"))
        with served(*words) as server:
            verdict = [asked(server.url) for _ in range(3)][-1]
            assert verdict["outcome"] == "fail", verdict
            until(lambda: len(receiver.got) >= 2)
            until(
                lambda: 'serinus_notices{notifier="chat",state="sent"} 1.0' in metrics(server.url)
            )
            shown = metrics(server.url)
            time.sleep(2.5)  # two more turns of the dispatchers: nothing may come
    assert len(receiver.got) == 2
    assert 'serinus_notices{notifier="ci",state="sent"} 1.0' in shown
    assert "serinus_rollouts_ended" in shown
    sent = [json.loads(got.body) for got in receiver.got]
    event = next(one for one in sent if "specversion" in one)
    message = next(one for one in sent if "blocks" in one)
    assert event["data"]["verdict"]["attempt"] == verdict["attempt"]
    assert event["data"]["url"] == f"https://serinus.example.org/rollouts/{verdict['attempt']}"
    assert message["text"].startswith("checkout failed: Errors")


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_server_that_is_killed_after_its_answer_is_heard_after_its_restart(
    receiver: Receiver, tmp_path: Path
) -> None:
    """The answer was given, the message was not sent: the next process finds and sends it."""
    receiver.held.clear()
    with fresh_prometheus(tmp_path / "prometheus") as source:
        config = configured(tmp_path, receiver, f"source: {{url: '{source.url}'}}")
        words = ("--config", str(config), "--data", str(tmp_path / "data"))
        with served(*words) as server:
            attempt = asked(server.url)["attempt"]
            server.end(signal.SIGKILL)
        receiver.held.set()
        before = len(receiver.got)
        with served(*words) as again:
            for name in ("ci", "chat"):
                line = f'serinus_notices{{notifier="{name}",state="sent"}} 1.0'
                until(lambda line=line: line in metrics(again.url), tries=2400)  # type: ignore[misc]
    ids = [got.headers.get("webhook-id", "chat") for got in receiver.got]
    assert set(ids) == {f"fail:{attempt}", "chat"}
    assert len(ids) == before + 2, "what was not acknowledged before the kill, and nothing else"

"""What only shows in a process of its own: signals, and a terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from pipelines.testing import FaultServer
from tests.api.cli.process import CODE
from tests.api.doors import CANARY, failing_door, waiting_door
from tests.house.dockerfile import ROOT

pytestmark = pytest.mark.slow

ASK = [sys.executable, "-c", CODE, "check", "--service", "checkout", "--canary", CANARY]


def environment(**more: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SERINUS_")}
    plain.pop("NO_COLOR", None)
    return {**plain, "TERM": "xterm-256color", "COLUMNS": "160", **more}


def on_a_terminal(server: FaultServer, **more: str) -> str:
    """What a person sees at a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*ASK, "--server", server.url], cwd=ROOT, stdout=theirs, env=environment(**more)
    ) as running:
        os.close(theirs)
        seen = b""
        while part := _read(ours):
            seen += part
        running.wait(timeout=30)
    os.close(ours)
    return seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side has closed
        return b""


def test_terminal_shows_colours_and_logs_do_not() -> None:
    """A pipeline's log holds no escape codes; a person sees red."""
    body = failing_door().post().content
    with FaultServer() as server:
        server.behave(body)
        seen = on_a_terminal(server)
        logged = subprocess.run(
            [*ASK, "--server", server.url], cwd=ROOT, env=environment(), capture_output=True,
            text=True, check=False, timeout=30,
        )  # fmt: skip
    assert "\x1b[1;31mFAIL" in seen
    assert "error_rate" in seen
    assert "roll back" in seen
    assert "\x1b" not in logged.stdout
    assert logged.returncode == 1


def test_no_color_is_heard() -> None:
    """People who ask for no colours get none."""
    with FaultServer() as server:
        server.behave(failing_door().post().content)
        seen = on_a_terminal(server, NO_COLOR="1")
    assert "FAIL" in seen
    assert "\x1b[1;31m" not in seen
    assert "\x1b[31m" not in seen


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_waiting_ends_with_a_signal_at_once(kind: signal.Signals) -> None:
    """Not after the pause, and not as a verdict."""
    with FaultServer() as server:
        server.behave(waiting_door().post().content)
        words = ["--server", server.url, "--wait", "--every", "1h", "--timeout", "1d"]
        with subprocess.Popen(
            [*ASK, *words], cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stderr is not None
            told = running.stderr.readline()
            began = time.monotonic()
            running.send_signal(kind)
            rest = running.stderr.read()
            code = running.wait(timeout=30)
    assert "inconclusive: waiting for traffic" in told
    assert code in {130, 143, -signal.SIGTERM}
    assert time.monotonic() - began < 10
    assert "Traceback" not in rest

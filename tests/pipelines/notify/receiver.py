"""A receiver of webhooks on a real port, and notices to send to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from detector.gate.telling import Notice, NoticeKind
from detector.gate.verdict import Outcome
from pipelines.notify.settings import NotifierSettings
from tests.pipelines.stores.test_stores import T0, attempt, verdict

__all__ = ["Got", "Receiver", "notice", "receiving", "settings"]


@dataclass(frozen=True, slots=True)
class Got:
    """One request as it came; header names in lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """Answers with `script` in order, the last one for ever: a status, and further headers.

    `held` keeps every answer back while it is not set.
    """

    url: str = ""
    script: list[tuple[int, Mapping[str, str]]] = field(default_factory=lambda: [(204, {})])
    got: list[Got] = field(default_factory=list)
    came: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    held: threading.Event = field(default_factory=threading.Event)
    words: bytes = b""

    def answers(self, *script: int | tuple[int, Mapping[str, str]]) -> None:
        """Answer so from now on."""
        self.script = [step if isinstance(step, tuple) else (step, {}) for step in script]

    def next(self) -> tuple[int, Mapping[str, str]]:
        """What is answered now."""
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port."""
    receiver = Receiver()
    receiver.held.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append(Got(headers, body))
            status, more = receiver.next()
            receiver.came.release()
            receiver.held.wait(30)
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.words)))
            self.end_headers()
            self.wfile.write(receiver.words)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.held.set()
        server.shutdown()
        server.server_close()


def settings(url: str, **changes: object) -> NotifierSettings:
    """A receiver on this machine."""
    base: dict[str, object] = {"name": "ops", "url": url, "allow_private": True}
    return NotifierSettings(**{**base, **changes})  # type: ignore[arg-type]


def notice(id: str = "fail:a1", **changes: object) -> Notice:
    """A fail of checkout."""
    base: dict[str, object] = {
        "id": id,
        "kind": NoticeKind.FAIL,
        "at": T0,
        "tenant": "default",
        "title": "checkout v2 failed",
        "text": "Errors rose.",
        "advice": "The controller was told to roll it back.",
        "verdict": verdict(attempt(), outcome=Outcome.FAIL).verdict,
    }
    return Notice(**{**base, **changes})  # type: ignore[arg-type]

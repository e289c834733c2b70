"""What may come back from a URL where serinus should be: its answers, and every kind of wreck."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Wire", "running"]

WORDS = {
    "html": (200, b"<html><title>Log in</title></html>"),
    "empty": (200, b""),
    "half": (200, b'{"answer": "pa'),
    "text": (200, b'"pass"'),
    "list": (200, b'[{"answer": "pass"}]'),
    "stranger": (200, b'{"status": "ok"}'),
    "unknown": (200, b'{"answer": "PASS"}'),
    "moved": (302, b""),
}


@dataclass(slots=True)
class Wire:
    """A server that answers each asker by its own script, whose last word it then repeats.

    Words: pass, fail, inconclusive (as serinus says them), a status, `silence` (no answer until
    the server stops), `cut` (the connection breaks inside the body) and those of `WORDS`.
    """

    scripts: dict[str, Sequence[str]]
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    bodies: list[tuple[str, Mapping[str, str], Any]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_word(self, path: str, headers: Mapping[str, str], body: Any) -> str:  # noqa: ANN401
        """The asker is Argo's argument `service`, or the name of Flagger's hook."""
        hook = path.rpartition("/")[2] if path.startswith("/flagger/") else ""
        asker = hook or body["service"]
        with self.lock:
            self.bodies.append((path, headers, body))
            script = self.scripts[asker]
            word = script[min(self.asked[asker], len(script) - 1)]
            self.asked[asker] += 1
        return word


def told(word: str) -> tuple[int, bytes]:
    """Status and body of a word."""
    if word.isdigit():
        return int(word), b'{"detail": "overloaded"}'
    if word in WORDS:
        return WORDS[word]
    reason = {"code": "collecting", "text": "scripted"}
    return 200, json.dumps({"answer": word, "outcome": word, "reason": reason}).encode()


@contextmanager
def running(scripts: Mapping[str, Sequence[str]]) -> Iterator[Wire]:
    """The server on a free port."""
    wire = Wire(dict(scripts))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            word = wire.next_word(self.path, dict(self.headers), body)
            if word == "silence":
                wire.stopped.wait()
                self.close_connection = True
            elif word == "cut":
                self.send_response(200)
                self.send_header("content-length", "1000")
                self.end_headers()
                self.wfile.write(b'{"answer": "pass", "outcome"')
                self.close_connection = True
            else:
                self._tell(*told(word))

        def do_GET(self) -> None:
            self._tell(*WORDS["html"])

        def _tell(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            if status == 302:
                self.send_header("location", "/login")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    wire.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield wire
    finally:
        wire.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)

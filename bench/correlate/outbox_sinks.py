"""A webhook's receiver and a chat that fail three calls in ten, and remember what they took."""

from __future__ import annotations

import json
import random
import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

from tests.pipelines.notify.slack_server import Slack

__all__ = ["FAILING", "Sinks", "Took", "sinks"]

FAILING = 0.3
_PATIENCE_S = "30"
_PLACE = re.compile(r"serinus/default/(\S+)")
_NTH = re.compile(r"<!date\^(\d+)\^")


@dataclass(slots=True)
class Took:
    """What one receiver took: by thread the `nth` of each, in the order in which it came."""

    threads: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def total(self) -> int:
        """How many it took."""
        return sum(map(len, self.threads.values()))

    @property
    def duplicates(self) -> int:
        """How many of them it had taken before."""
        return sum(len(nths) - len(set(nths)) for nths in self.threads.values())

    @property
    def out_of_order(self) -> int:
        """How many came after a later one of their thread, repeated ones apart."""
        once = (list(dict.fromkeys(nths)) for nths in self.threads.values())
        return sum(a > b for nths in once for a, b in pairwise(nths))


@dataclass(slots=True)
class Sinks:
    """Both of them. A call that fails was not taken: refused, put off, or hung up on."""

    seed: int
    failing: float = FAILING
    url: str = ""
    chat: Slack = field(default_factory=Slack)
    took: dict[str, Took] = field(default_factory=lambda: {"hook": Took(), "chat": Took()})
    calls: int = 0
    failed: int = 0
    unlike: list[str] = field(default_factory=list)
    _threads: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _draw: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._draw.seed(self.seed)

    def fault(self) -> int | None:
        """How a call fails: a status, 0 for no answer at all; None where it does not."""
        with self._lock:
            self.calls += 1
            if self._draw.random() >= self.failing:
                return None
            self.failed += 1
            return self._draw.choice((503, 429, 0))

    def hook(self, body: bytes) -> bytes:
        """The webhook took it."""
        with self._lock:
            incident = json.loads(body)["data"]["incident"]
            self.took["hook"].threads[incident["id"]].append(incident["sequence"])
        return b""

    def slack(self, method: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """The chat took it, or found that it is not as documented."""
        with self._lock:
            answer = self.chat.answer(method, headers, body)
            asked = json.loads(body)
            if not answer["ok"]:
                self.unlike.append(answer["error"])
            elif method == "chat.postMessage":
                self._noted(asked, answer["ts"])
            return json.dumps(answer).encode()

    def _noted(self, asked: Mapping[str, Any], ts: str) -> None:
        """A message of its own or a line: of which incident, and which it is."""
        if "thread_ts" in asked:
            thread, at = self._threads[asked["thread_ts"]], _NTH.match(asked["text"])
            nth = int(at[1]) if at else -1
        else:
            found = _PLACE.fullmatch(asked["blocks"][-1]["block_id"])
            thread, nth = found[1] if found else "?", 0
            self._threads[ts] = thread
        self.took["chat"].threads[thread].append(nth)


@contextmanager
def sinks(seed: int, failing: float = FAILING) -> Iterator[Sinks]:
    """Both on a free port, at /hook and /api."""
    both = Sinks(seed, failing)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One packet an answer: written in two, each waits for the other side's acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            fault = both.fault()
            if fault == 0:
                self.close_connection = True
            elif fault is not None:
                self.reply(fault, b"")
            elif self.path == "/hook":
                self.reply(200, both.hook(body))
            else:
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.reply(200, both.slack(self.path.removeprefix("/api/"), headers, body))

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", _PATIENCE_S)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = _Quiet(("127.0.0.1", 0), Handler)
    both.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield both
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(ThreadingHTTPServer):
    """Whose callers are killed, which is no error of its own."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""

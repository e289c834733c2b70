"""A relay between a sender and its receiver, which remembers each body and what was answered."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Passed", "Relay", "relaying"]

UNREACHED = 502
_KEPT = ("content-type", "content-encoding", "user-agent", "x-prometheus-remote-write-version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A body that went through, with the headers that matter, and the status that came back."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def is_taken(self) -> bool:
        """Whether the sender was told that it need not send it again."""
        return 200 <= self.status < 300


@dataclass(slots=True)
class Relay:
    """Passes everything on to `port`; where nobody listens there, that is a 502."""

    port: int
    url: str = ""
    passed: list[Passed] = field(default_factory=list)

    def statuses(self, first: int = 0) -> list[int]:
        """What was answered, from the place of a body on."""
        return [one.status for one in list(self.passed[first:])]

    def taken(self) -> list[Passed]:
        """All that was taken, in order."""
        return [one for one in list(self.passed) if one.is_taken]

    def send(
        self, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Pass one body on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", path, body=body, headers=headers)
            answer = connection.getresponse()
            told = answer.status, dict(answer.getheaders()), answer.read()
        except (OSError, http.client.HTTPException):
            told = UNREACHED, {}, b""
        finally:
            connection.close()
        kept = {name: value for name, value in headers.items() if name.lower() in _KEPT}
        self.passed.append(Passed(path=path, headers=kept, body=body, status=told[0]))
        return told


@contextmanager
def relaying(port: int) -> Iterator[Relay]:
    """A relay on a free port."""
    relay = Relay(port)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, headers, answer = relay.send(self.path, dict(self.headers.items()), body)
            self.send_response(status)
            for name in ("Content-Type", "Retry-After"):
                found = next((v for n, v in headers.items() if n.lower() == name.lower()), None)
                if found is not None:
                    self.send_header(name, found)
            self.send_header("Content-Length", str(len(answer)))
            # A sender that was asked to end does not wait for its answer.
            with suppress(OSError):
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    relay.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

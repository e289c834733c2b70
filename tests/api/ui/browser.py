"""Debian's Chromium without a window, spoken to over a pipe: what a page really does."""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers import require_server

__all__ = ["Browser", "running_browser"]

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--remote-debugging-pipe",
)
WITHIN_S = 40.0


@dataclass(slots=True)
class Browser:
    """One tab. `console` are its errors and warnings, `requests` the addresses that it asked."""

    _write: int
    _read: int
    session: str = ""
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    login: tuple[str, str] | None = None
    _number: int = 0
    _buffer: bytes = b""
    _events: list[dict[str, Any]] = field(default_factory=list)

    def start(self) -> None:
        """Open the tab and listen to it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """One command and its answer; what happens meanwhile is noted."""
        number = self._send(method, **params)
        give_up = time.monotonic() + WITHIN_S
        while True:
            answer = self._next(give_up)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _send(self, method: str, **params: object) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return self._number

    def _answer_dialog(self, request: str) -> None:
        """What a person does at the password dialog: fill it in once, or cancel it."""
        answer: dict[str, str] = {"response": "CancelAuth"}
        if self.login is not None:
            user, password = self.login
            answer = {"response": "ProvideCredentials", "username": user, "password": password}
        self._send("Fetch.continueWithAuth", requestId=request, authChallengeResponse=answer)

    def _next(self, give_up: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            left = give_up - time.monotonic()
            if left <= 0 or not select.select([self._read], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self._read, 1 << 20)
            if not more:
                raise RuntimeError("the browser ended")
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method: str | None, params: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Network.loadingFailed" if not params.get("canceled"):
                self.blocked.append(f"{params.get('errorText')} {params.get('blockedReason', '')}")
            case "Runtime.exceptionThrown":
                self.console.append(str(params["exceptionDetails"].get("exception", params)))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.console.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.console.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
            case "Page.loadEventFired":
                self._events.append({"method": method, **params})
            case "Fetch.requestPaused":
                self._send("Fetch.continueRequest", requestId=params["requestId"])
            case "Fetch.authRequired":
                self._answer_dialog(params["requestId"])

    def wait_for(self, method: str) -> dict[str, Any]:
        """The next event of a kind, from those that came and those to come."""
        give_up = time.monotonic() + WITHIN_S
        while True:
            for event in self._events:
                if event["method"] == method:
                    self._events.remove(event)
                    return event
            self._next(give_up)

    def open(self, url: str) -> None:
        """Load a page with all that it needs."""
        self._events.clear()
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def run(self, script: str) -> Any:  # noqa: ANN401 - whatever the page says
        """The value of an expression in the page; promises are awaited."""
        found = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait in the page until an expression holds."""
        self.run(
            "new Promise((done, late) => { const begun = Date.now(); const look = () =>"
            f" ({condition}) ? done(true) : Date.now() - begun > {1000 * WITHIN_S - 5000:.0f}"
            " ? late(new Error('in vain')) : setTimeout(look, 50); look(); })"
        )

    def show(self, *, width: int, height: int = 900, dark: bool = False, media: str = "") -> None:
        """The window's size, the preferred scheme, and `print` for paper."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def picture(self, file: Path) -> bytes:
        """The whole page as PNG, also written to a file."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        data = base64.b64decode(shot["data"])
        file.write_bytes(data)
        return data


@contextmanager
def running_browser(folder: Path) -> Iterator[Browser]:
    """A browser of ours with a profile of its own; it ends with the block."""
    binary = require_server("chromium")
    to_browser, write = os.pipe()
    read, from_browser = os.pipe()
    # It reads from 3 and writes to 4; a plain sh takes no number of two digits.
    command = ["bash", "-c", f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}', str(binary)]
    with (folder / "chromium.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, *ARGUMENTS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
            stdout=log,
            stderr=log,
            pass_fds=(to_browser, from_browser),
            env={**os.environ, "HOME": str(folder), "http_proxy": "", "https_proxy": ""},
        )
    os.close(to_browser)
    os.close(from_browser)
    browser = Browser(_write=write, _read=read)
    try:
        browser.start()
        yield browser
    finally:
        os.close(write)
        os.close(read)
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)

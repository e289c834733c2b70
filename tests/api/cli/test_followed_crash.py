"""`serinus serve` follows a file that is written and rotated, and is killed meanwhile."""

from __future__ import annotations

import json
import signal
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.api.cli.process import served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

LIVES = 3


def configured(folder: Path) -> Path:
    """A configuration that follows what the application writes.

    Also under the names that it is rotated to: a busy machine does not look for longer than the
    application takes to rotate twice.
    """
    file = folder / "serinus.yaml"
    file.write_text(
        f"""
data: {folder}/data
logs:
  files:
    watch: [{{paths: ["{folder}/app.log*"], service: shop}}]
    first: start
    scan_s: 0.2
    poll_s: 0.05
    silence_s: 0.2
"""
    )
    return file


class Writer:
    """An application that logs without pause, and whose log is renamed now and then."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self.written = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(0.005):
            with self._log.open("a") as file:
                file.write(f"ERROR cannot place order {self.written}\n" * 3)
            self.written += 3
            if self.written % 2_001 == 0:
                self._log.rename(self._log.with_suffix(f".log.{self.written}"))

    def end(self) -> None:
        """Stop writing."""
        self._ended.set()
        self._thread.join()


def counted(url: str) -> int:
    """How often the line was counted, by the template that it is of; -1 where nobody can say."""
    try:
        with urllib.request.urlopen(f"{url}/v1/templates", timeout=20) as answer:
            templates = json.load(answer)["templates"]
    except urllib.error.HTTPError:
        return -1
    return sum(one["count"] for one in templates if "cannot place order" in one["text"])


def until(url: str, count: int) -> int:
    """The count, once it is what is waited for or no longer rises."""
    last, since = -2, time.monotonic()
    while last < count and time.monotonic() - since < 60:
        now = counted(url)
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.2)
    return last


def begun(folder: Path, config: Path) -> None:
    """A first life, which looked for files: what was rotated away before it is not ours to know."""
    with served("--config", str(config)) as process:
        until_there = time.monotonic() + 60
        while not (folder / "data/followed-files.json").exists():
            assert time.monotonic() < until_there
            time.sleep(0.1)
        process.end(signal.SIGKILL)


def test_no_line_is_lost_or_doubled_over_kills(tmp_path: Path) -> None:
    """What the templates count is what the application wrote, after kill -9 at any moment."""
    config = configured(tmp_path)
    (tmp_path / "app.log").write_text("INFO starts\n")
    begun(tmp_path, config)
    writer = Writer(tmp_path / "app.log")
    try:
        for life in range(LIVES):
            with served("--config", str(config)) as process:
                until(process.url, 1 + writer.written)
                time.sleep(0.13 * life)
                process.end(signal.SIGKILL)
    finally:
        writer.end()
    with served("--config", str(config)) as process:
        assert until(process.url, writer.written) == writer.written
        # What came twice would come within the time that files are looked at and looked for.
        time.sleep(2)
        assert counted(process.url) == writer.written

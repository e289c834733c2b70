"""`serinus serve` as a process of its own, on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Process", "served", "start"]

CODE = "from api.cli import main; main()"
GREETING = re.compile(r"serinus: (http://\S+?)/rollouts ")
ENDS_WITHIN_S = 40.0


@dataclass(slots=True)
class Process:
    """A running command; `told` is what it has said on standard error."""

    process: subprocess.Popen[str]
    url: str = ""
    told: list[str] = field(default_factory=list)

    def end(self, kind: signal.Signals = signal.SIGTERM) -> int:
        """Signal it, and return its exit code."""
        self.process.send_signal(kind)
        return self.process.wait(timeout=ENDS_WITHIN_S)


def start(*words: str, **environment: str) -> Process:
    """Start it; returns when it listens, or has ended."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SERINUS_")}
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, "serve", *words],
        cwd=Path(__file__).resolve().parents[3],
        env={**plain, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    started = Process(process)
    assert process.stderr is not None
    for line in process.stderr:
        started.told.append(line)
        if found := GREETING.match(line):
            started.url = found[1]
            break
    else:
        process.wait(timeout=ENDS_WITHIN_S)
    threading.Thread(target=_listen, args=(started,), daemon=True).start()
    return started


def _listen(started: Process) -> None:
    assert started.process.stderr is not None
    started.told.extend(started.process.stderr)


@contextmanager
def served(*words: str, **environment: str) -> Iterator[Process]:
    """Start it on a free port, and make sure that it ends."""
    port = () if "--port" in words else ("--port", "0")
    started = start(*words, *port, **environment)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
        started.process.wait(timeout=ENDS_WITHIN_S)

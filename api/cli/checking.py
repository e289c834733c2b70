"""`serinus check`: one question, or the same until it is decided; the exit code is the answer.

It speaks of `answer`, as a controller acts: in the modes `shadow` and `advise` that is a pass, and
the text says beside it what was judged.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api.cli.doors import asking_gate, asking_server, server_of, server_url
from api.cli.guard import Code
from api.cli.report import Place, report_of, show
from api.cli.told import told_of
from api.cli.waiting import Rhythm, wait
from detector.errors import ConfigError, InputError

__all__ = ["Asking", "check", "given"]

LONGEST_S = 3600.0
SHORTEST_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is asked, and how: `fields` are those of the request, as text.

    `clusters` are parted by commas.
    """

    fields: Mapping[str, str]
    wait: bool
    every: str
    timeout: str | None
    on_inconclusive: int
    as_json: bool
    clusters: str | None = None

    @property
    def body(self) -> Mapping[str, object]:
        """What is asked, as the interface takes it."""
        if self.clusters is None:
            return self.fields
        return {**self.fields, "clusters": [name.strip() for name in self.clusters.split(",")]}


def given(**fields: str | None) -> Mapping[str, str]:
    """The fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}


def check(
    asking: Asking,
    *,
    server: str | None,
    prometheus: str | None,
    flags: Mapping[str, object | None],
    config: Path | None,
) -> int:
    """Ask, show, and return the exit code of the answer."""
    began = time.time()
    rhythm = _rhythm(asking, began) if asking.wait else None
    url = server_url(server, prometheus, config, *flags.values())
    if url is not None and prometheus is not None:
        raise ConfigError("--server and --prometheus: give one; a server reads its own source")
    if url is not None and flags.get("packs"):
        raise ConfigError("--server and --packs: give one; a server has its own packs")
    with _door(asking, url, prometheus, flags, config) as (ask, place):
        body = ask() if rhythm is None else wait(ask, rhythm)
    told = told_of(body)
    if asking.as_json:
        print(body.decode())
    else:
        show(report_of(told, place))
    return _code(told.answer, asking.on_inconclusive)


def _code(answer: str, on_inconclusive: int) -> int:
    match answer:
        case "pass":
            return Code.PASS
        case "fail":
            return Code.FAIL
    return on_inconclusive


@contextmanager
def _door(
    asking: Asking,
    url: str | None,
    prometheus: str | None,
    flags: Mapping[str, object | None],
    config: Path | None,
) -> Iterator[tuple[Callable[[], bytes], Place]]:
    """How to ask, and where that is."""
    if url is not None:
        with server_of(url) as server:
            yield asking_server(server, asking.body), Place(url=server.url)
        return
    if prometheus is None and config is None and "SERINUS_SOURCE__URL" not in os.environ:
        raise ConfigError(
            "say where to ask: --prometheus URL (serinus judges here), --server URL of a running "
            "serinus, or --config FILE"
        )
    from api.cli.serving import settings_of

    settings = settings_of(config, prometheus, flags)
    is_kept = bool({"data", "store"} & settings.model_fields_set)
    own = "" if settings.store is not None else f"--data {settings.data}"
    place = Place(flags=own if is_kept else None)
    with asking_gate(settings, asking.body, in_memory=not is_kept) as ask:
        yield ask, place


def _rhythm(asking: Asking, began: float) -> Rhythm:
    if "as_of" in asking.fields:
        text = "the answer that was due then does not change: leave out --wait"
        raise InputError(text, field="as_of")
    return Rhythm(
        every_s=max(_span(asking.every, "every"), SHORTEST_EVERY_S),
        until=_until(asking, began),
        now=time.time,
        pause=_pause,
        tell=_Teller(),
    )


def _until(asking: Asking, began: float) -> float:
    """The earlier of deadline and time-out; an hour where neither is given."""
    from api.cli.moments import moment_of

    deadline = asking.fields.get("deadline")
    ends = [] if deadline is None else [moment_of(deadline, "deadline")]
    if asking.timeout is not None:
        ends.append(began + _span(asking.timeout, "timeout"))
    return min(ends, default=began + LONGEST_S)


def _span(text: str, field: str) -> float:
    from api.cli.moments import span_of

    return span_of(text, field)


def _pause(seconds: float) -> None:
    """An event that nobody sets: Ctrl-C ends it at once."""
    threading.Event().wait(seconds)


class _Teller:
    """Tells a person what is waited for, once per change, on standard error."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, words: str) -> None:
        if words == self._last:
            return
        self._last = words
        clock = datetime.now(UTC).strftime("%H:%M:%S")
        print(f"{clock} {words}", file=sys.stderr, flush=True)

"""What a pod of the demo shop writes into its log, as a service of some years does."""

from __future__ import annotations

import logging
import random
import time
from pathlib import Path

__all__ = ["Diary", "log_to"]

SLOW_S = 0.25
IDLE_EVERY_S = 5.0
_REFUSALS = (
    "payment refused: connection to payments:8443 reset",
    "payment refused: card of order {order} declined with code {code}",
    "stock of item {item} not reserved: no answer within {code} ms",
)


def log_to(path: Path) -> None:
    """Have the root logger write into a file, times in UTC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    form = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    form.converter = time.gmtime
    form.default_time_format, form.default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"
    file = logging.FileHandler(path)
    file.setFormatter(form)
    logging.basicConfig(level=logging.INFO, handlers=[file])


class Diary:
    """The lines of one pod."""

    def __init__(self, log: logging.Logger, draw: random.Random) -> None:
        self.log = log
        self._draw = draw

    def begins(self, name: str, version: str, port: int) -> None:
        """What is written at each start: with another version it never reads the same."""
        self.log.info("checkout %s starting, build %08x", version, self._draw.getrandbits(32))
        self.log.info("settings: payments.url=https://payments:8443 pool=12 release=%s", version)
        self.log.warning("setting payments.timeout is deprecated since %s", version)
        self.log.error("no warm cache: /var/cache/checkout/%s.bin does not exist", version)
        self.log.info("%s %s listens on port %d", name, version, port)

    def answered(self, method: str, path: str, status: int, took: float) -> None:
        """A line for each request, and one more where it was slow or went wrong."""
        self.log.info("%s %s %d %.1f ms", method, path, status, 1000 * took)
        if status == 500:
            self.log.error("%s %s failed: %s", method, path, self._refusal())
        elif took > SLOW_S:
            self.log.warning("slow request: %s %s took %.0f ms", method, path, 1000 * took)

    def idles(self) -> None:
        """Now and then, whatever happens."""
        self.log.info("pool of payments: %d of 12 connections in use", self._draw.randrange(1, 9))

    def _refusal(self) -> str:
        draw = self._draw
        words = draw.choice(_REFUSALS)
        return words.format(
            order=self.order(), code=draw.randrange(20, 90), item=draw.randrange(900)
        )

    def order(self) -> int:
        """A number of an order."""
        return self._draw.randrange(10_000, 99_999)

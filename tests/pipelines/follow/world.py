"""A folder of logs, and a follower of it whose clock the test moves."""

from __future__ import annotations

from pathlib import Path

from detector.logs.lines import Origin
from pipelines.follow.following import Following, Pace
from pipelines.follow.positions import Positions
from pipelines.follow.roll import Group
from pipelines.testing.log_sink import MemoryLogSink

SHOP = Origin(service="shop")
START = 1_714_557_600.0


class World:
    """`write` and `step`, then look at what the sink has; `restart` begins a new process."""

    def __init__(
        self,
        folder: Path,
        *patterns: str,
        from_start: bool = True,
        sink: MemoryLogSink | None = None,
        most: int = 1024,
    ) -> None:
        self.folder = folder
        self.patterns = patterns or ("*.log",)
        self.from_start, self.most = from_start, most
        self.sink = sink or MemoryLogSink()
        self.now = START
        self.following = self._made()

    def _made(self) -> Following:
        group = Group(patterns=tuple(f"{self.folder}/{one}" for one in self.patterns), origin=SHOP)
        return Following(
            (group,),
            self.sink,
            Positions(self.folder / "positions.json"),
            pace=Pace(from_start=self.from_start, files=self.most),
            clock=lambda: self.now,
        )

    def write(self, name: str, text: str | bytes) -> None:
        """Append."""
        content = text.encode() if isinstance(text, str) else text
        with (self.folder / name).open("ab") as file:
            file.write(content)

    def step(self, after_s: float = 2.0) -> list[str]:
        """Let time go on, read all that is there; every message so far."""
        self.now += after_s
        while self.following.step() == 0:
            pass
        return self.messages()

    def messages(self) -> list[str]:
        """Every message so far."""
        return self.sink.messages()

    def restart(self) -> None:
        """End in order and begin anew."""
        self.following.settle()
        self.following = self._made()

    def crash(self) -> None:
        """Begin anew without having ended."""
        self.following = self._made()

    def quiet(self) -> list[str]:
        """Nothing comes for a while; every message by then."""
        self.step(3)
        return self.step(10)

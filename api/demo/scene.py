"""What the demo shows: the state of the rollout as it is known now, and what happened so far."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from api.demo.gate import Answer, GateError, Needs
from api.demo.rollout import Ending, Step
from api.demo.shop import Version
from api.demo.traffic import Second

__all__ = ["Line", "Rates", "Scene"]

# Seconds of traffic behind the rates that are shown.
RATES_OVER = 5
REPEAT_AFTER_S = 10.0


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, `at` seconds after the start; `tone` is good, bad or plain."""

    at: float
    text: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What the customers of one version saw of late."""

    per_s: float = 0.0
    errors: float = 0.0
    mean_ms: float = 0.0


@dataclass(kw_only=True)
class Scene:
    """State and story; `say` is called with each new line."""

    title: str = "starting"
    stable: Version | None = None
    canary: Version | None = None
    weight: int = 0
    answer: Answer | None = None
    base: str = ""
    page: str = ""
    trouble: str = ""
    say: Callable[[Line], None] = lambda line: None
    clock: Callable[[], float] = time.monotonic
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=400))
    seconds: deque[Second] = field(default_factory=lambda: deque(maxlen=RATES_OVER))
    began: float = field(init=False)
    _said: tuple[object, ...] = ()
    _said_at: float = 0.0

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self.clock() - self.began

    def tell(self, text: str, tone: str = "plain") -> None:
        """Add to the story."""
        line = Line(self.elapsed, text, tone)
        self.lines.append(line)
        self.say(line)

    def saw(self, second: Second) -> None:
        """Take what the customers counted."""
        self.seconds.append(second)

    def rates(self, version: Version | None) -> Rates:
        """Of one version over the last seconds."""
        tallies = [s.arms[version.name] for s in self.seconds if version and version.name in s.arms]
        requests = sum(tally.requests for tally in tallies)
        if not requests:
            return Rates()
        return Rates(
            per_s=requests / len(self.seconds),
            errors=sum(tally.errors for tally in tallies) / requests,
            mean_ms=1000 * sum(tally.seconds for tally in tallies) / requests,
        )

    # -- the narrator of a rollout ----------------------------------------------------------------

    def stepped(self, step: Step) -> None:
        """A weight was reached."""
        self.weight = step.weight
        pods = f"{step.pods} pod{'s' if step.pods > 1 else ''}"
        name = self.canary.name if self.canary else "the canary"
        self.tell(f"{step.weight} % of the traffic goes to {name} ({pods})")

    def answered(self, step: Step, answer: Answer) -> None:
        """Show the answer; tell of it when it is another, or after a while."""
        self.answer, self.trouble = answer, ""
        self.page = self.base + answer.links.ui
        if not self._is_news(step.weight, answer.answer, answer.reason.code):
            return
        tone = {"pass": "good", "fail": "bad"}.get(answer.answer, "plain")
        self.tell(f"{answer.answer} ({answer.reason.code}) {self._sides()}", tone)
        self.tell(f"    {answer.reason.text}{needed(answer.needs)}")

    def failed(self, step: Step, error: GateError, since_s: float) -> None:
        """The gate does not answer."""
        self.trouble = f"the gate has not answered for {since_s:.0f} s: {error}"
        if self._is_news(step.weight, "trouble"):
            self.tell(self.trouble, "bad")

    def ended(self, ending: Ending, why: str) -> None:
        """The rollout is over."""
        name = self.canary.name if self.canary else "the canary"
        tone = "good" if ending is Ending.PROMOTED else "bad"
        self.tell(f"{name} {ending}: {why}", tone)

    def close_rollout(self, *, promoted: bool) -> None:
        """What was the canary is stable now, or gone."""
        if promoted:
            self.stable = self.canary
        self.canary, self.answer, self.weight, self._said = None, None, 0, ()

    def _is_news(self, *what: object) -> bool:
        """Whether it was not said before, or long ago."""
        if what == self._said and self.elapsed - self._said_at < REPEAT_AFTER_S:
            return False
        self._said, self._said_at = what, self.elapsed
        return True

    def _sides(self) -> str:
        canary, control = self.rates(self.canary), self.rates(self.stable)
        return (
            f"[canary {canary.per_s:.0f}/s, {canary.errors:.1%} errors, {canary.mean_ms:.0f} ms; "
            f"control {control.per_s:.0f}/s, {control.errors:.1%}, {control.mean_ms:.0f} ms]"
        )


def needed(needs: Needs) -> str:
    """What a pass still lacks, in words; mere time is told by the reason already."""
    words = []
    if not needs.requests and not needs.canary_pods:
        return ""
    if needs.requests:
        words.append(f"{needs.requests:,} canary requests")
    if needs.seconds:
        words.append(f"about {needs.seconds} s")
    if needs.canary_pods:
        words.append(f"{needs.canary_pods} canary pods")
    return f" Needs {', '.join(words)}."

"""One verdict, as Python and pandas read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from api.cli.guard import CouldNotAskError
from api.client.columns import SIGNALS, VERDICTS, frame_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Verdict"]

_NEEDED = ("id", "outcome", "answer", "final", "reason", "attempt", "as_of")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question; `body` has all of it, as the interface documents it.

    `CouldNotAskError` for a body that is no verdict.
    """

    body: Mapping[str, Any] = field(repr=False)

    def __post_init__(self) -> None:
        lacks = [name for name in _NEEDED if name not in self.body]
        if lacks or not isinstance(self.body["reason"], dict):
            words = f"it has no {lacks[0]}" if lacks else "its reason is none"
            raise CouldNotAskError(f"the answer is no verdict of serinus: {words}")

    @property
    def id(self) -> str:
        """What it is looked up by."""
        return str(self.body["id"])

    @property
    def outcome(self) -> str:
        """The judgement: `pass`, `fail` or `inconclusive`."""
        return str(self.body["outcome"])

    @property
    def answer(self) -> str:
        """What to act on, by the mode of the policy."""
        return str(self.body["answer"])

    @property
    def final(self) -> bool:
        """Whether asking again changes nothing any more."""
        return bool(self.body["final"])

    @property
    def reason(self) -> str:
        """Why, as a word of the closed list."""
        return str(self.body["reason"].get("code"))

    @property
    def text(self) -> str:
        """Why, as a sentence."""
        return str(self.body["reason"].get("text"))

    @property
    def attempt(self) -> str:
        """The try of a rollout that it belongs to, of which `Client.timeline` tells."""
        return str(self.body["attempt"])

    @property
    def as_of(self) -> pd.Timestamp:
        """The moment that was judged."""
        return self.row["as_of"]

    @property
    def row(self) -> pd.Series:
        """The verdict as a row of what `Client.verdicts` gives."""
        return frame_of([self.body], VERDICTS).iloc[0]

    @property
    def signals(self) -> pd.DataFrame:
        """A row for each signal; none where the answer was given without them."""
        return frame_of(self.body.get("signals") or (), SIGNALS)

    def __str__(self) -> str:
        return f"{self.outcome}: {self.text}"

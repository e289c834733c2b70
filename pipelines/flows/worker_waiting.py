"""Small messages of one second of the log, on their way to be counted in one go."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.flows.worker_feeds import Batch
from pipelines.topics.port import Message

__all__ = ["LARGE", "Waiting"]

# Lines or spans of a message that waits for no other.
LARGE = 256
_SECOND_MS, _MESSAGES, _SIZE = 1000, 4096, 16_384
# What a clock ahead of ours wrote waits no longer than that for its second to be over.
_PATIENCE_MS = 5_000


@dataclass(slots=True)
class Waiting:
    """Messages from offset `since` to `last`, the latest at `at` (unix ms), `size` lines in all.

    Which messages are counted together follows from the log alone, not from when it was read.
    `asked` is when it was first asked whether they still wait.
    """

    batches: list[Batch] = field(default_factory=list)
    since: int | None = None
    last: int = -1
    at: int = 0
    size: int = 0
    asked: int | None = None

    def add(self, message: Message, batch: Batch) -> None:
        """One more."""
        if self.since is None:
            self.since = message.offset
        self.batches.append(batch)
        self.last, self.at = message.offset, max(self.at, message.at)
        self.size += batch.size

    def is_over(self, now: int) -> bool:
        """Whether none of its second can come any more, as it is that late (unix ms)."""
        return bool(self.batches) and now // _SECOND_MS > self.at // _SECOND_MS

    def is_due(self, now: int) -> bool:
        """Whether to wait no longer, as nothing comes and it is that late (unix ms)."""
        self.asked = now if self.asked is None else self.asked
        waited = bool(self.batches) and now - self.asked >= _PATIENCE_MS
        return waited or self.is_over(now)

    def is_before(self, at: int) -> bool:
        """Whether a message of that time is not of it, or there is no room for it."""
        is_full = len(self.batches) >= _MESSAGES or self.size >= _SIZE
        return is_full or self.is_over(at)

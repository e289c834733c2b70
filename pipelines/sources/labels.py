"""Label sets as they come in replies: each is read once, and is one object wherever it is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import intern

import msgspec

__all__ = ["LabelSets"]

# Label sets that a generation has at most: about 100 MB of them.
_MOST = 1 << 17
# A label set of a rollout is in every poll's replies: one that is in none of so many is gone.
_LIFE = 16
_FEW = 4096

_read = msgspec.json.Decoder(dict[str, str]).decode


class LabelSets:
    """Label sets by their JSON text, as long as they are asked for; safe for threads.

    What nobody asked for in two generations is forgotten, and is read anew the next time.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._asked = most, 0
        self._young: dict[bytes, Mapping[str, str]] = {}
        self._old: dict[bytes, Mapping[str, str]] = {}

    def __len__(self) -> int:
        """How many are held."""
        return len(self._young) + len(self._old)

    def of(self, texts: Sequence[msgspec.Raw]) -> list[Mapping[str, str]]:
        """The label sets of a reply; `msgspec.MsgspecError` for a text that is none."""
        self._asked += len(texts)
        if self._asked > max(_FEW, _LIFE * len(self._young)) or len(self._young) > self._most:
            self._old, self._young, self._asked = self._young, {}, 0
        return [self._one(bytes(text)) for text in texts]

    def _one(self, text: bytes) -> Mapping[str, str]:
        # Taken once: another thread may begin a generation in between.
        young = self._young
        found = young.get(text)
        if found is None:
            found = young[text] = self._old.get(text) or _labels(text)
        return found


def _labels(text: bytes) -> Mapping[str, str]:
    """Pods and metrics share most values: equal ones are one string."""
    return {name: intern(value) for name, value in _read(text).items()}

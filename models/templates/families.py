"""Families of lines: templates alike but for words, and which of their places are parameters."""

from __future__ import annotations

from collections.abc import Sequence

from models.templates import tuning as c
from models.templates.kinds import Kind

__all__ = ["Family", "Form"]

_ODD = frozenset(b"0123456789./\\@$") | frozenset(range(128, 256))


class Form:
    """A line as its tokens: hash, kind and text of each, with the hash of its shape."""

    __slots__ = ("hashes", "kinds", "shape", "words")

    def __init__(
        self, shape: int, hashes: tuple[int, ...], kinds: tuple[int, ...], words: tuple[bytes, ...]
    ) -> None:
        self.shape, self.hashes, self.kinds, self.words = shape, hashes, kinds, words


class Family:
    """Forms of one shape, and what was seen at each of their places.

    `free`: set of bits, places that are parameters. `members`: slots of its templates.
    """

    __slots__ = ("free", "key", "kinds", "members", "seen", "state")

    def __init__(self, key: int, form: Form) -> None:
        self.key, self.free = key, 0
        self.members: list[int] = []
        self.kinds = [kind != Kind.WORD for kind in form.kinds]
        self.seen: list[set[int]] = [{h} for h in form.hashes]
        self.state = [_Words(form, k) for k in range(len(form.hashes))]

    def likeness(self, form: Form) -> float:
        """Share of places, parameters left out, where a form has what was seen there before."""
        same = total = 0
        for place, (h, kind) in enumerate(zip(form.hashes, form.kinds, strict=True)):
            if self.free >> place & 1 or (self.kinds[place] and kind != Kind.WORD):
                continue
            total += 1
            same += h in self.seen[place]
        return same / total if total else 1.0

    def admit(self, form: Form) -> int:
        """Take a form in; the set of places that became parameters by it."""
        for place, h in enumerate(form.hashes):
            if not self.free >> place & 1 and h not in self.seen[place]:
                self.seen[place].add(h)
                self.state[place].add(form, place)
        constants = sum(
            len(seen) == 1 and not mask for seen, mask in zip(self.seen, self.kinds, strict=True)
        )
        freed = 0
        for place, seen in enumerate(self.seen):
            if (
                not self.free >> place & 1
                and len(seen) > 1
                and self.state[place].is_free(len(seen), constants)
            ):
                freed |= 1 << place
        self.free |= freed
        return freed


class _Words:
    """What words of a place are like."""

    __slots__ = ("capitals", "masks", "odd", "status")

    def __init__(self, form: Form, place: int) -> None:
        self.capitals, self.masks, self.odd, self.status = True, 0, 0, False
        self.add(form, place)

    def add(self, form: Form, place: int) -> None:
        """One more that was not seen before."""
        word = form.words[place]
        if form.kinds[place] != Kind.WORD:
            self.masks += 1
            return
        self.capitals = self.capitals and word.isupper()
        self.odd += not _ODD.isdisjoint(word)
        self.status = self.status or word.lower() in c.STATUS

    def is_free(self, distinct: int, constants: int) -> bool:
        """Whether so many different ones make the place a parameter."""
        if self.masks > 1 or (self.masks and self.odd):
            return True
        if self.status:
            return False
        needed: Sequence[int] = c.NEEDED
        if self.masks or 2 * self.odd > distinct:
            needed = c.NEEDED_ODD
        elif self.capitals:
            needed = c.NEEDED_CAPITALS
        return distinct >= needed[min(constants, len(needed) - 1)]

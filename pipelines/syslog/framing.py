"""Messages out of a stream of bytes: counted, or ended by a line end (RFC 6587)."""

from __future__ import annotations

import re

__all__ = ["Framing"]

# A count of more digits than that is no count.
_COUNT = re.compile(rb"([1-9]\d{0,8}) (?=<)")
_MAYBE_COUNT = re.compile(rb"[1-9]\d{0,8} ?$")


class Framing:
    """Takes pieces of a connection; each message tells by its first byte how it is framed.

    Of a message no more than `most` bytes are held; the rest of it is passed over.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = bytearray()
        # Of a counted message what is still to come; -1 where one ends with its line.
        self._wanted = -1
        self._passed = 0
        self.too_long = 0

    def take(self, piece: bytes) -> list[bytes]:
        """One more piece; the messages that are whole by it."""
        messages: list[bytes] = []
        while piece:
            piece = (
                self._counted(piece, messages) if self._wanted >= 0 else self._open(piece, messages)
            )
        return messages

    def end(self) -> list[bytes]:
        """The connection ended: what is held is a message, unless its count says that it is not."""
        held = bytes(self._held)
        self._held.clear()
        return [held] if held.strip() and self._wanted < 0 else []

    def _open(self, piece: bytes, messages: list[bytes]) -> bytes:
        """Read on at the beginning of a message, or within one that ends with its line."""
        if len(self._held) < 16:
            joined = bytes(self._held) + piece
            count = _COUNT.match(joined)
            if count is not None:
                self._held.clear()
                self._wanted = int(count[1])
                return joined[count.end() :]
            if _MAYBE_COUNT.match(joined):
                self._held[:] = joined
                return b""
        line, end, rest = piece.partition(b"\n")
        self._hold(line)
        if end:
            self._give(messages)
        return rest

    def _counted(self, piece: bytes, messages: list[bytes]) -> bytes:
        part, rest = piece[: self._wanted], piece[self._wanted :]
        self._hold(part)
        self._wanted -= len(part)
        if self._wanted == 0:
            self._wanted = -1
            self._give(messages)
        return rest

    def _hold(self, part: bytes) -> None:
        room = self._most - len(self._held)
        self._held += part[: max(0, room)]
        self._passed += max(0, len(part) - max(0, room))

    def _give(self, messages: list[bytes]) -> None:
        self.too_long += self._passed > 0
        self._passed = 0
        message = bytes(self._held)
        self._held.clear()
        if message.strip(b"\r\n\0 "):
            messages.append(message)

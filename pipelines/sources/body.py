"""Read a reply's body only as far as it may go."""

from __future__ import annotations

import httpx2

__all__ = ["OversizeError", "bounded_body"]


class OversizeError(Exception):
    """A body is larger than its bound; `head` is its first chunk."""

    def __init__(self, bound: int, head: bytes) -> None:
        super().__init__(f"the body is over {bound / 2**20:g} MB")
        self.head = head


def bounded_body(response: httpx2.Response, bound: int) -> bytes:
    """The whole body, decompressed; `OversizeError` once it is over `bound` bytes.

    A body that announces itself as too large is not read further than its head.
    """
    announced = response.headers.get("content-length", "")
    oversize = announced.isdecimal() and int(announced) > bound
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > bound or oversize:
            raise OversizeError(bound, chunks[0])
    return b"".join(chunks)

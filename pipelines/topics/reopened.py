"""A writer that is opened anew after an error: a client that hangs is not waited for twice."""

from __future__ import annotations

from collections.abc import Callable

from detector.errors import BrokerError
from pipelines.topics.port import Outgoing, Writer

__all__ = ["ReopenedWriter"]


class ReopenedWriter:
    """`Writer`, for one thread at a time.

    After an error it is not known what was written, and all since the last flush is to be sent
    again: so what the old client still holds is of no use. It was seen to hold it for ever after
    the death of a broker.
    """

    def __init__(self, opening: Callable[[], Writer]) -> None:
        self._opening = opening
        self._writer: Writer | None = opening()

    def send(self, message: Outgoing) -> None:
        """Take a message to write; `BrokerError`."""
        if self._writer is None:
            self._writer = self._opening()
        try:
            self._writer.send(message)
        except BrokerError:
            self.close()
            raise

    def flush(self, timeout_s: float) -> None:
        """Wait until all that was sent is acknowledged; `BrokerError`."""
        if self._writer is None:
            return
        try:
            self._writer.flush(timeout_s)
        except BrokerError:
            self.close()
            raise

    def close(self) -> None:
        """Stop; the next message opens another."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

"""Pushes of Loki: a request's bytes to columns. Lines are read as programs wrote them."""

from __future__ import annotations

from detector.errors import InputError
from pipelines.ingest.decoded import broken
from pipelines.ingest.logs.conventions import NAMELESS, convention
from pipelines.ingest.logs.loki_labels import labels_of
from pipelines.ingest.logs.loki_scan import Pushed, scan_push
from pipelines.ingest.logs.reading import Reading, Spoken
from pipelines.ingest.logs.remembering import Owner, Remembered
from pipelines.ingest.logs.taken import Moment, TakenLines
from pipelines.ingest.logs.written import written_lines
from pipelines.ingest.records.cleaned import LONGEST
from pipelines.ingest.records.flaws import Flaw

__all__ = ["LokiPush"]


class LokiPush:
    """The door of one tenant; safe for threads."""

    def __init__(self) -> None:
        self._owners, self._written = Remembered(_owner_of), written_lines()

    def decode(self, body: bytes, moment: Moment) -> TakenLines:
        """The lines of an unpacked request; `InputError` where it is none.

        A stream whose labels cannot be read is refused, and the others are taken.
        """
        pushed = _pushed(body)
        reading = Reading(
            body=body,
            found=pushed.found,
            owners=[self._owners.of(body[a:b]) for a, b in pushed.labels.tolist()],
            moment=moment,
            scales=convention("loki").scales,
            written=self._written,
            value=_text,
            other=_nothing,
            is_raw=True,
            leave=pushed.twice,
        )
        repeated = int(pushed.twice.sum())
        if repeated:
            reading.flaws[Flaw.REPEATED] = repeated
        return reading.lines()


def _pushed(body: bytes) -> Pushed:
    pushed = scan_push(body, convention("loki").names, LONGEST)
    if pushed is None:
        raise broken("the body is no protobuf of a push request of Loki")
    return pushed


def _owner_of(labels: bytes) -> Owner:
    try:
        return convention("loki").owner(dict(labels_of(_text(labels))))
    except InputError as error:
        return Owner(origin=NAMELESS, wrong=str(error))


def _text(value: bytes) -> str:
    return str(value, "utf-8", "replace")


def _nothing(_: bytes) -> Spoken | None:
    """An entry has a line and nothing else."""
    return None

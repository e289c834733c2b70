"""The door of one partition: its messages become samples, the same whenever they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detector.errors import InputError
from detector.stream.columns import Columns, SeriesInfo
from pipelines.ingest.decoded import Window
from pipelines.ingest.doors import Limits, unpacked
from pipelines.ingest.interning import Interner
from pipelines.ingest.protocol import Format, form_of, is_tenant
from pipelines.ingest.tally import Tally
from pipelines.ingest.tenant import Decoder, decoder
from pipelines.topics.port import Headers, Message

__all__ = ["PartDoor", "Remembered"]

TENANT = "x-scope-orgid"
DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a door knows of a tenant: the series in id order, and what its decoder has learned."""

    series: Sequence[SeriesInfo]
    memory: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    interner: Interner
    decoder: Decoder


class PartDoor:
    """For one thread.

    Times are taken or refused by the log's time of their message, not by a clock: who reads it
    again, days later, takes the same samples.
    """

    def __init__(self, written: Format, limits: Limits, tally: Tally) -> None:
        self._door, self._packing = form_of(written)
        self._limits, self._tally = limits, tally
        self._tenants: dict[str, _Own] = {}

    def restore(self, tenants: Mapping[str, Remembered]) -> None:
        """Go on from what was remembered, in place of what is known."""
        self._tenants = {name: self._opened(known) for name, known in tenants.items()}

    def read(self, message: Message) -> tuple[str, Columns]:
        """Tenant and samples; `InputError` where it cannot be read. Ask for `new` after both."""
        tenant = _tenant(message.headers)
        if message.value is None:
            raise InputError("the message has no value", field="body")
        own = self._of(tenant)
        body = unpacked(self._packing, message.value, most=self._limits.unpacked_bytes)
        decoded = own.decoder.decode(body, self._window(message.at))
        self._tally.took(tenant, self._door.value, decoded)
        return tenant, decoded.columns

    def new(self, known: Mapping[str, Sequence[SeriesInfo]]) -> dict[str, Sequence[SeriesInfo]]:
        """By tenant, the series that are not among the known, in id order.

        Also what could not be read to its end may have brought some: they have their ids.
        """
        counts = {tenant: len(known.get(tenant, ())) for tenant in self._tenants}
        return {
            tenant: own.interner.since(counts[tenant])
            for tenant, own in self._tenants.items()
            if len(own.interner) > counts[tenant]
        }

    def memory(self, tenant: str) -> bytes:
        """What a tenant's decoder has learned beside its series."""
        own = self._tenants.get(tenant)
        return own.decoder.memory() if own is not None else b""

    def _of(self, tenant: str) -> _Own:
        if tenant not in self._tenants:
            if len(self._tenants) >= self._limits.tenants:
                raise InputError(
                    f"there are {self._limits.tenants} tenants already, so {tenant!r} is refused:"
                    " correct the name, or raise ingest.tenants",
                    field=TENANT,
                )
            self._tenants[tenant] = self._opened(Remembered(series=()))
        return self._tenants[tenant]

    def _opened(self, known: Remembered) -> _Own:
        interner = Interner(known.series, limit=self._limits.series)
        made = decoder(self._door, interner, known.series)
        if known.memory:
            made.recall(known.memory)
        return _Own(interner=interner, decoder=made)

    def _window(self, at: int) -> Window:
        return Window(
            oldest=at - round(1000 * self._limits.behind_s),
            newest=at + round(1000 * self._limits.ahead_s),
        )


def _tenant(headers: Headers) -> str:
    """By the header that a push has, too; `InputError` for a name that is none."""
    found = next((value for name, value in headers if name.lower() == TENANT), None)
    if found is None:
        return DEFAULT
    name = found.decode("utf-8", "replace")
    if not is_tenant(name):
        raise InputError(
            "X-Scope-OrgID must be 1 to 64 letters, digits, dots, dashes or underscores",
            field=TENANT,
        )
    return name

"""The door of one partition: its messages become samples, the same whenever they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from detector.errors import InputError
from detector.stream.columns import Columns, SeriesInfo
from pipelines.ingest.bodies import unpacked
from pipelines.ingest.columnar import Columnar
from pipelines.ingest.decoded import Decoded, Window
from pipelines.ingest.interning import Interner
from pipelines.ingest.limits import Limits
from pipelines.ingest.protocol import Format, form_of, is_tenant
from pipelines.ingest.tally import Tally
from pipelines.ingest.tenant import Decoder, decoder
from pipelines.topics.port import Headers, Message

__all__ = ["PartDoor", "Remembered", "tenant_of"]

TENANT = "x-scope-orgid"
DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a door knows of a tenant beside its series: what its decoder has learned."""

    memory: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """`knowing` is the decoder, where it tells messages that bring nothing new."""

    interner: Interner
    decoder: Decoder
    knowing: Columnar | None


class PartDoor:
    """For one thread.

    Times are taken or refused by the log's time of their message, not by a clock: who reads it
    again, days later, takes the same samples.
    """

    def __init__(self, written: Format, limits: Limits, tally: Tally) -> None:
        self._door, self._packing = form_of(written)
        self._limits, self._tally = limits, tally
        self._tenants: dict[str, _Own] = {}
        self._names: Callable[[str], Interner] = lambda _: Interner(limit=limits.series)

    def restore(
        self, tenants: Mapping[str, Remembered], names: Callable[[str], Interner] | None = None
    ) -> None:
        """Go on from what was remembered, in place of what is known.

        `names` are those of a tenant's series, which who judges them shares with the door.
        """
        self._names = names or self._names
        self._tenants = {name: self._opened(name, known) for name, known in tenants.items()}

    def read(self, message: Message) -> tuple[str, Columns]:
        """Tenant and samples; `InputError` where it cannot be read. Ask for `new` after both."""
        tenant = tenant_of(message.headers)
        if message.value is None:
            raise InputError("the message has no value", field="body")
        own = self._of(tenant)
        body = unpacked(self._packing, message.value, most=self._limits.unpacked_bytes)
        decoded = own.decoder.decode(body, self._window(message.at))
        self._tally.took(tenant, self._door.value, decoded)
        return tenant, decoded.columns

    def known(self, message: Message) -> tuple[str, Decoded] | None:
        """As `read` of one that brings nothing new, not counted yet; None where it might.

        What is known is the same whenever it is asked, but not until when: `InputError` as there.
        """
        tenant = tenant_of(message.headers)
        own = self._tenants.get(tenant)
        if own is None or own.knowing is None or message.value is None:
            return None
        body = unpacked(self._packing, message.value, most=self._limits.unpacked_bytes)
        decoded = own.knowing.known(body, self._window(message.at))
        return None if decoded is None else (tenant, decoded)

    def took(self, tenant: str, decoded: Decoded) -> None:
        """Count what was known, as it is judged."""
        self._tally.took(tenant, self._door.value, decoded)

    def new(self) -> dict[str, Sequence[tuple[int, SeriesInfo]]]:
        """By tenant, series that were not told yet, with their ids.

        Also what could not be read to its end may have brought some: they have their ids.
        """
        fresh = {tenant: own.interner.fresh() for tenant, own in self._tenants.items()}
        for tenant, told in fresh.items():
            self._tenants[tenant].interner.kept(len(told))
        return {tenant: told for tenant, told in fresh.items() if told}

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
            self._tenants[tenant] = self._opened(tenant, Remembered())
        return self._tenants[tenant]

    def _opened(self, tenant: str, known: Remembered) -> _Own:
        interner = self._names(tenant)
        interner.limit = self._limits.series
        made = decoder(self._door, interner)
        if known.memory:
            made.recall(known.memory)
        knowing = made if isinstance(made, Columnar) else None
        return _Own(interner=interner, decoder=made, knowing=knowing)

    def _window(self, at: int) -> Window:
        return Window(
            oldest=at - round(1000 * self._limits.behind_s),
            newest=at + round(1000 * self._limits.ahead_s),
        )


def tenant_of(headers: Headers) -> str:
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

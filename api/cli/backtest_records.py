"""What the gate remembers, where the settings say that it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.settings import Settings
from detector.gate.policy import Policy
from detector.ports import Stores

__all__ = ["remembered", "saved_policies"]


@contextmanager
def remembered(settings: Settings, *, make: bool = False) -> Iterator[Stores | None]:
    """The stores of the settings; None where there are none yet, unless they are to be made."""
    from api.compose import DATABASE, open_records

    url = None if settings.store is None else settings.store.get_secret_value()
    if url is None and not make and not (settings.data / DATABASE).is_file():
        yield None
        return
    opened = open_records(settings.data if url is None else url)
    try:
        yield opened.stores
    finally:
        opened.close()


def saved_policies(settings: Settings) -> tuple[Policy, ...]:
    """The newest version of each policy that was saved."""
    with remembered(settings) as stores:
        return () if stores is None else tuple(one.policy for one in stores.policies.all())

"""Where fitted models are kept, by the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.settings import Settings
    from detector.fitted.ports import FittedStore

__all__ = ["fitted_store"]


@contextmanager
def fitted_store(settings: Settings, *, make: bool) -> Iterator[FittedStore | None]:
    """Where models are kept by the settings; None where nothing is yet, unless it is to be made."""
    from api.compose import DATABASE
    from pipelines.stores.fitted import SqlFitted

    if settings.store is not None:
        from pipelines.stores.postgres import PostgresDatabase

        shared = PostgresDatabase(settings.store.get_secret_value())
        try:
            yield SqlFitted(shared)
        finally:
            shared.close()
        return
    file = settings.data / DATABASE
    if not make and not file.is_file():
        yield None
        return
    from pipelines.stores.sqlite import Database

    database = Database(file)
    try:
        yield SqlFitted(database)
    finally:
        database.close()

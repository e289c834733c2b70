"""The real app on a database of its own as a process that can be killed; its clock is a file.

`python -m tests.api.crashing DATA PORT [ADDRESS]`: seconds after T0 are read from `DATA/clock`,
so that two processes, one after the other or at once, live in the same world. With the address of a
PostgreSQL they share its records.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from api.app import create_app
from api.probe import store_probe
from detector.gate.session import Session
from detector.ports import Stores
from pipelines.flows.gate import Gate
from pipelines.stores.sqlite import Database
from tests.api.doors import quiet_logs
from tests.api.ui.scenes import T0, Shop, discover

__all__ = ["CLOCK", "bad_shop"]

CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class FileClock:
    """The time that somebody outside wrote down."""

    path: Path

    def __call__(self) -> float:
        """Unix seconds."""
        return T0 + float(self.path.read_text(encoding="utf-8"))


def bad_shop() -> Shop:
    """A canary whose errors rise by two points from the second minute on."""
    return Shop(errors=0.024, bad_from=120.0)


def _stores(data: Path, address: str | None) -> Stores:
    if address is None:
        return Database(data / "serinus.db").stores()
    from pipelines.stores.postgres import PostgresDatabase

    return PostgresDatabase(address).stores()


def _serve(data: Path, port: int, address: str | None = None) -> None:
    shop, stores = bad_shop(), _stores(data, address)
    gate = Gate(
        source=shop.source,
        catalog=shop.source,
        stores=stores,
        clock=FileClock(data / CLOCK),
        discover=discover,
        session_factory=Session,
    )
    quiet_logs()
    app = create_app(gate, store_probe=store_probe(stores))
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])

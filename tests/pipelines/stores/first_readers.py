"""A process in which many threads are the first to read values of one type."""

from __future__ import annotations

import sys
import threading

import msgspec

from detector.errors import StoreError
from detector.gate.attempt import Attempt
from detector.gate.verdict import Verdict
from detector.signals.plan import Plan
from pipelines.stores.codec import SCHEMA, unpack

_READERS = 12


def main() -> None:
    """Read what is no plan, no verdict and no attempt, side by side."""
    sys.setswitchinterval(1e-6)
    blob = msgspec.msgpack.encode((SCHEMA, {"service": 1, "policy": {}, "signals": [{}]}))
    ready, told = threading.Barrier(_READERS), list[str]()

    def read(kind: type[object]) -> None:
        ready.wait(10)
        try:
            unpack(kind, blob)
        except StoreError as error:
            told.append(str(error).partition(":")[0])

    kinds: tuple[type[object], ...] = (Plan, Verdict, Attempt)
    readers = [threading.Thread(target=read, args=(kinds[n % 3],)) for n in range(_READERS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    print(*sorted(set(told)), sep="\n")


if __name__ == "__main__":
    main()

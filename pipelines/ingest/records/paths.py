"""Values of a record by paths: names joined by dots, whichever way its sender split them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["Path", "path_of"]


@dataclass(frozen=True, slots=True)
class Path:
    """A path, with each way to cut it in two: a name, and the path below it (None at its end)."""

    cuts: tuple[tuple[str, Path | None], ...]

    def find(self, record: dict[str, Any]) -> Any:  # noqa: ANN401 - what JSON has
        """The value there, None where there is none."""
        for name, below in self.cuts:
            value = record.get(name)
            if value is None:
                continue
            if below is None:
                return value
            if type(value) is dict:
                found = below.find(value)
                if found is not None:
                    return found
        return None

    def may_be_in(self, names: Iterable[str]) -> bool:
        """Whether a record with these names at its top can have it."""
        return any(name in names for name, _ in self.cuts)


def path_of(text: str) -> Path:
    """A path from its text.

    >>> path_of("a.b.c").find({"a": {"b.c": 1}}), path_of("a.b").find({"a.b": 2})
    (1, 2)
    """
    parts = text.split(".")
    shorter: list[tuple[str, Path | None]] = [
        (".".join(parts[:cut]), path_of(".".join(parts[cut:]))) for cut in range(1, len(parts))
    ]
    return Path((*shorter, (text, None)))

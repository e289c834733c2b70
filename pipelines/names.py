"""Whether the plain words `models`, `detector`, `pipelines` and `api` are really ours."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution
from pathlib import Path

from detector.errors import ConfigError

__all__ = ["PACKAGES", "NameConflict", "check_names", "find_conflicts"]

PACKAGES = ("models", "detector", "pipelines", "api")
DISTRIBUTION = "serinus"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameConflict:
    """An import name of ours that something else answers to; `owner` is a distribution or None."""

    name: str
    owner: str | None
    location: str

    def __str__(self) -> str:
        if self.owner is None:
            return f"`{self.name}` is imported from {self.location}"
        return f"`{self.name}` is also installed by {self.owner} (in {self.location})"


def check_names() -> None:
    """Raise `ConfigError` when another distribution or folder owns one of our import names."""
    conflicts = find_conflicts()
    if conflicts:
        raise ConfigError(explain(conflicts))


def explain(conflicts: Iterable[NameConflict]) -> str:
    facts = "; ".join(str(conflict) for conflict in conflicts)
    return (
        f"serinus cannot use its own packages: {facts}. Install serinus into an environment of "
        "its own (python3 -m venv), and start it from a folder without packages of these names."
    )


def find_conflicts(
    *,
    home: Path | None = None,
    locate: Callable[[str], Path | None] | None = None,
    owners: Callable[[str, Path], Sequence[str]] | None = None,
) -> tuple[NameConflict, ...]:
    """Names of ours that import from elsewhere than `home`, or that share `home` with another.

    `home` is the folder that holds our packages. `locate` says where a name would be imported
    from, `owners` which distributions installed it there; both default to this interpreter's.
    """
    home = home or Path(__file__).resolve().parent.parent
    locate = locate or imported_from
    owners = owners or installers()
    found = (_conflict(name, home, locate(name), owners) for name in PACKAGES)
    return tuple(conflict for conflict in found if conflict is not None)


def _conflict(
    name: str, home: Path, location: Path | None, owners: Callable[[str, Path], Sequence[str]]
) -> NameConflict | None:
    if location is None:
        return NameConflict(name=name, owner=None, location="nowhere")
    foreign = [owner for owner in owners(name, location) if owner != DISTRIBUTION]
    if location.parent != home or foreign:
        owner = foreign[0] if foreign else None
        return NameConflict(name=name, owner=owner, location=str(location))
    return None


def imported_from(name: str) -> Path | None:
    """The folder (or file) that `import name` would load; None when there is none."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or ())
    place = folders[0] if folders else spec.origin
    return Path(place).resolve() if place else None


def installers() -> Callable[[str, Path], Sequence[str]]:
    """A look-up of the distributions that installed a name at a place, reading metadata once.

    Only what is installed in the folder of the place can be at it. What it recorded is looked
    through as text: `importlib.metadata.packages_distributions` makes an object of each file of
    each distribution, and takes a tenth of the start of `serinus serve`.
    """
    recorded = cache(_recorded)

    def at(name: str, location: Path) -> Sequence[str]:
        own = re.compile(rf'^"?{re.escape(name)}(/|\.py[",\s]|\s*$)', re.MULTILINE)
        everything = recorded(location.parent)
        return sorted({normalised(one.name) for one, text in everything if own.search(text)})

    return at


def _recorded(folder: Path) -> list[tuple[Distribution, str]]:
    """Each distribution of a folder and its import names, or else the files that it installed."""
    return [
        (one, one.read_text("top_level.txt") or one.read_text("RECORD") or "")
        for one in importlib.metadata.distributions(path=[str(folder)])
    ]


def normalised(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")

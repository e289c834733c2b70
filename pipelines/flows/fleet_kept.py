"""What came of each series of a fleet, kept in one file, so that a run goes on where it stopped."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from detector.errors import StoreError

__all__ = ["Came", "Kept", "Trouble", "name_of"]

SCHEMA = 1
_TABLES = """
create table if not exists came (
    work text not null, series text not null, made blob, reason text, text text,
    lasts integer not null, primary key (work, series)
);
create table if not exists settings (name text primary key, value text not null);
"""
_UPSERT = (
    "insert into came values (?, ?, ?, ?, ?, ?) on conflict (work, series) do update set"
    " made = excluded.made, reason = excluded.reason, text = excluded.text, lasts = excluded.lasts"
)
# Rows that are held at once while they are read.
_ROWS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why nothing came of a series: a word for programs, a text for people.

    `lasts`: the next run would meet it again, so that it need not try.
    """

    reason: str
    text: str
    lasts: bool = True


class Came(NamedTuple):
    """What came of a series: bytes, or trouble."""

    series: str
    what: bytes | Trouble


def name_of(what: str, *content: object) -> str:
    """The name of work by its content: by the same name the same bytes come of a series."""
    digest = hashlib.sha256()
    for part in content:
        text = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(len(text).to_bytes(8, "big") + text)
    return f"{what}-{digest.hexdigest()[:32]}"


class Kept:
    """Results of series by the name of the work; `StoreError` where the file cannot be used.

    One process writes. A batch is there whole or not at all, and again is the same as once.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        with self._translated():
            file.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(file, isolation_level=None, timeout=10)
            self._open()

    def _open(self) -> None:
        (found,) = self._base.execute("pragma user_version").fetchone()
        if found > SCHEMA:
            raise StoreError(
                f"{self.file} is of a newer version ({found}; this one reads {SCHEMA}):"
                " take another folder, or the version that wrote it"
            )
        self._base.execute("pragma journal_mode = wal")
        self._base.execute("pragma synchronous = normal")
        self._base.executescript(_TABLES)
        self._base.execute(f"pragma user_version = {SCHEMA}")

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def setting(self, name: str, value: str) -> str:
        """What was first said of a setting: now, or by the run that is gone on with."""
        with self._translated():
            self._base.execute("insert or ignore into settings values (?, ?)", (name, value))
            found = self._base.execute("select value from settings where name = ?", (name,))
            return str(found.fetchone()[0])

    def finished(self, work: str) -> frozenset[str]:
        """The series of which something came that lasts."""
        with self._translated():
            rows = self._base.execute("select series from came where work = ? and lasts", (work,))
            return frozenset(series for (series,) in rows)

    def save(self, work: str, batch: Iterable[Came]) -> None:
        """Keep what came of some series."""
        rows = [(work, *_row(one)) for one in batch]
        with self._translated(), closing(self._base.cursor()) as cursor:
            cursor.execute("begin immediate")
            try:
                cursor.executemany(_UPSERT, rows)
            except BaseException:
                cursor.execute("rollback")
                raise
            cursor.execute("commit")

    def results(self, work: str, series: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """What was made of series, in their order; those without are left out."""
        for begin in range(0, len(series), _ROWS):
            some = series[begin : begin + _ROWS]
            marks = ",".join("?" * len(some))
            query = f"select series, made from came where work = ? and series in ({marks})"  # noqa: S608
            with self._translated():
                found = dict(self._base.execute(query, (work, *some)))
            yield from ((one, found[one]) for one in some if found.get(one) is not None)

    def troubles(self, work: str) -> Iterator[tuple[str, Trouble]]:
        """The series of which nothing came, by name."""
        query = (
            "select series, reason, text, lasts from came where work = ? and made is null"
            " order by series"
        )
        with self._translated():
            for series, reason, text, lasts in self._base.execute(query, (work,)):
                yield series, Trouble(reason=reason, text=text, lasts=bool(lasts))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.file} cannot be used: {error}") from error


def _row(one: Came) -> tuple[str, bytes | None, str | None, str | None, bool]:
    if isinstance(one.what, Trouble):
        return one.series, None, one.what.reason, one.what.text, one.what.lasts
    return one.series, one.what, None, None, True

"""The container of an evidence file: a zip archive of named members with their checksums.

It is read within bounds: a known set of members, each with a largest size, whatever it declares.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO

import msgspec

from detector.errors import InputError

__all__ = ["MAGIC", "MEMBERS", "VERSION", "Manifest", "archived", "opened"]

MAGIC = b"PK\x03\x04"
VERSION = 2
_FORMAT = "serinus evidence"
_MANIFEST = "manifest.json"
_MB = 1 << 20
_MANIFEST_MAX = 64 << 10
# Each member with the most that is read of it.
MEMBERS: Mapping[str, int] = {
    "answer.json": 4 * _MB,
    "policy.json": 4 * _MB,
    "queries.json": 16 * _MB,
    "record.msgpack": 64 * _MB,
    "samples.msgpack": 256 * _MB,
}
# Samples are compressed already.
_STORED = frozenset({"samples.msgpack"})


class Member(msgspec.Struct, frozen=True):
    """What the manifest says of a member."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The first member: what the file is, who wrote it, and what else there is."""

    format: str = _FORMAT
    version: int = VERSION
    serinus: str
    engine: str
    code: str
    verdict: str
    service: str
    outcome: str
    members: dict[str, Member] = msgspec.field(default_factory=dict)


class _Head(msgspec.Struct):
    """What every version of a manifest has."""

    format: str
    version: int
    serinus: str = "unknown"


def archived(manifest: Manifest, members: Mapping[str, bytes]) -> bytes:
    """The file's bytes; the same for the same members."""
    sums = {name: _summed(content) for name, content in members.items()}
    first = msgspec.json.encode(msgspec.structs.replace(manifest, members=sums))
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        _add(archive, _MANIFEST, msgspec.json.format(first, indent=2) + b"\n")
        for name, content in members.items():
            _add(archive, name, content)
    return target.getvalue()


def opened(file: bytes) -> tuple[Manifest, Mapping[str, bytes]]:
    """The manifest and the checked members; `InputError` says what is wrong with the file."""
    try:
        archive = zipfile.ZipFile(BytesIO(file))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise _refused(f"this evidence file was changed, cut short, or is none: {error}") from error
    with archive:
        manifest = _manifest(_content(archive, _MANIFEST, _MANIFEST_MAX))
        _check_names(archive, manifest)
        found = {name: _content(archive, name, most) for name, most in MEMBERS.items()}
    for name, content in found.items():
        _check(name, content, manifest.members[name])
    return manifest, found


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_STORED if name in _STORED else zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _manifest(content: bytes) -> Manifest:
    """The manifest of a version that is known here."""
    try:
        head = msgspec.json.decode(content, type=_Head)
        if head.format != _FORMAT:
            raise _refused(f"this is no evidence file: its manifest says {head.format[:80]!r}")
        if head.version > VERSION:
            raise _refused(
                f"this evidence file has version {head.version}, this serinus reads up to"
                f" {VERSION}: take serinus {head.serinus[:40]} or newer"
            )
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _refused(f"its manifest.json cannot be read: {error}") from error


def _check_names(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Exactly the members of this version, each once."""
    names = archive.namelist()
    wanted = {_MANIFEST, *MEMBERS}
    for what, odd in (
        ("lacks", sorted(wanted - set(names))),
        ("has a member of no meaning:", sorted(set(names) - wanted)),
        ("has twice", sorted({name for name in names if names.count(name) > 1})),
        ("has no checksum of", sorted(set(MEMBERS) - set(manifest.members))),
    ):
        if odd:
            raise _refused(f"this evidence file {what} {odd[0][:80]}")


def _content(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A member within its bound."""
    try:
        entry = archive.getinfo(name)
    except KeyError as error:
        raise _refused(f"this is no evidence file: it has no {name}") from error
    if entry.file_size > most:
        raise _refused(
            f"{name} has {entry.file_size:,} bytes unpacked, more than the {most:,} that are read"
        )
    try:
        with archive.open(entry) as member:
            return member.read(most)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise _refused(f"{name} was changed or cut short: {error}") from error
    except (NotImplementedError, RuntimeError, ValueError) as error:
        raise _refused(f"{name} is packed in a way that is not read: {error}") from error


def _check(name: str, content: bytes, said: Member) -> None:
    found = _summed(content)
    if found != said:
        raise _refused(
            f"{name} was changed: its SHA-256 is {found.sha256[:16]}…, the manifest says"
            f" {said.sha256[:16]}…"
        )


def _summed(content: bytes) -> Member:
    return Member(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _refused(text: str) -> InputError:
    return InputError(text, field="file")

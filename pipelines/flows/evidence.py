"""The evidence file: one verdict with all that it was made from, to be replayed elsewhere.

Version 2 is a zip archive that says what it holds (`export_archive`); version 1 was one compressed
message and is still read. docs/evidence.md tells the format to those who read it without us.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import msgspec
import zstandard

from detector.errors import InputError
from detector.gate.attempt import Attempt
from detector.gate.policy import Policy
from detector.gate.reason import SIGNAL_NAMES
from detector.gate.record import Chunk, StoredVerdict, chunk_of
from detector.gate.render import Json, verdict_body
from pipelines.flows.export_archive import MAGIC, Manifest, archived, opened
from pipelines.flows.export_queries import asked_queries
from pipelines.stores.codec import decoder_of, encode, inflated
from pipelines.version import code_version, serinus_version

__all__ = ["FILE_MAX", "Evidence", "pack_evidence", "unpack_evidence"]

# The largest that is read. A sample takes 1.7 bytes in a first read and 3.4 in later ones (the
# files of the tests): a day of 60 pods with 40 series each, scraped each 15 s, would have 75 MB.
FILE_MAX = 1 << 28
_UNPACKED_MAX = 1 << 29
_SAMPLES_MAX = 1 << 30
_OLD_MAGIC, _OLD_NAME = b"\x28\xb5\x2f\xfd", "serinus evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A verdict, its attempt, and the chunks up to the verdict's head.

    `serinus` and `code`: the version that wrote the file, and the digest of its judging code;
    empty in files of version 1. `answer`: the body as it was given, None where only
    the verdict itself is known.
    """

    attempt: Attempt
    stored: StoredVerdict
    chunks: tuple[Chunk, ...]
    serinus: str = ""
    code: str = ""
    answer: dict[str, Json] | None = None

    @property
    def given(self) -> dict[str, Json]:
        """The answer that was given."""
        return self.answer or verdict_body(self.stored.verdict, brief=False)

    def up_to(self, head: str) -> Sequence[Chunk]:
        """The chunks that end at an earlier head."""
        for count, chunk in enumerate(self.chunks, 1):
            if chunk.hash == head:
                return self.chunks[:count]
        return ()


class _Record(msgspec.Struct):
    attempt: Attempt
    stored: StoredVerdict


class _OldEvidence(msgspec.Struct):
    attempt: Attempt
    stored: StoredVerdict
    chunks: tuple[Chunk, ...]


class _Old(msgspec.Struct):
    magic: str
    schema: int
    evidence: _OldEvidence


def pack_evidence(evidence: Evidence) -> bytes:
    """The file's bytes, the same for the same evidence."""
    verdict = evidence.stored.verdict
    record = _Record(attempt=evidence.attempt, stored=evidence.stored)
    manifest = Manifest(
        serinus=evidence.serinus or serinus_version(),
        engine=verdict.engine,
        code=evidence.code or code_version(),
        verdict=verdict.id,
        service=verdict.service,
        outcome=verdict.outcome.value,
    )
    return archived(
        manifest,
        {
            "answer.json": _json(evidence.given),
            "policy.json": _json(evidence.attempt.policy),
            "queries.json": _json(asked_queries(evidence.chunks)),
            "record.msgpack": encode(record),
            "samples.msgpack": encode([chunk.body for chunk in evidence.chunks]),
        },
    )


def unpack_evidence(file: bytes) -> Evidence:
    """The evidence; `InputError` where the bytes are no such file, were cut short or changed."""
    if len(file) > FILE_MAX:
        raise _refused(f"it has {len(file):,} bytes, more than the {FILE_MAX:,} that are read")
    if file.startswith(MAGIC):
        found = _unpacked(file)
    elif file.startswith(_OLD_MAGIC):
        found = _unpacked_old(file)
    else:
        raise _refused("this is no evidence file")
    _check_chain(found)
    _check_sizes(found)
    _check_signals(found)
    return found


def _unpacked(file: bytes) -> Evidence:
    manifest, members = opened(file)
    try:
        record = decoder_of(_Record).decode(members["record.msgpack"])
        bodies = msgspec.msgpack.decode(members["samples.msgpack"], type=list[bytes])
        answer: dict[str, Json] = msgspec.json.decode(members["answer.json"], type=dict)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _refused(f"its content is not what its version has: {error}") from error
    _check_answer(record, manifest, answer)
    return Evidence(
        attempt=record.attempt,
        stored=record.stored,
        chunks=_chained(record.attempt.id, bodies),
        serinus=manifest.serinus,
        code=manifest.code,
        answer=answer,
    )


def _check_answer(record: _Record, manifest: Manifest, answer: dict[str, Json]) -> None:
    """The manifest, the answer and the record are of one verdict."""
    verdict = record.stored.verdict
    facts = {"id": verdict.id, "outcome": verdict.outcome.value, "answer": verdict.answer.value}
    if manifest.verdict != verdict.id or {name: answer.get(name) for name in facts} != facts:
        raise _refused("answer.json and record.msgpack of this file speak of different verdicts")


def _unpacked_old(file: bytes) -> Evidence:
    try:
        found = decoder_of(_Old).decode(inflated(file, most=_UNPACKED_MAX))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _refused(f"this is no evidence file, or it was cut short: {error}") from error
    if found.magic != _OLD_NAME or found.schema != 1:
        raise _refused("this is no evidence file of version 1")
    old = found.evidence
    return Evidence(attempt=old.attempt, stored=old.stored, chunks=old.chunks)


def _chained(attempt: str, bodies: Sequence[bytes]) -> tuple[Chunk, ...]:
    """Chunks under their names, which follow from what they hold and what came before."""
    chunks: list[Chunk] = []
    for body in bodies:
        chunks.append(chunk_of(attempt, chunks[-1].hash if chunks else "", body))
    return tuple(chunks)


def _check_chain(evidence: Evidence) -> None:
    """Every chunk has the name of its content, and they lead to the verdict's head."""
    head = ""
    for number, chunk in enumerate(evidence.chunks, 1):
        named = chunk_of(chunk.attempt, chunk.prev, chunk.body)
        if chunk.prev != head or named != chunk:
            raise _refused(
                f"the samples in this file were changed: chunk {number} is {named.hash[:16]},"
                f" its name is {chunk.hash[:16]}"
            )
        head = chunk.hash
    wanted = evidence.stored.seen.head
    if head != wanted:
        raise _refused(
            "samples are missing in this file, or were changed: they end at"
            f" {head[:16] or 'nothing'}, the verdict was made from those up to"
            f" {wanted[:16] or 'nothing'}"
        )


def _check_sizes(evidence: Evidence) -> None:
    """The samples say how large they are; together they fit into memory."""
    total = 0
    for number, chunk in enumerate(evidence.chunks, 1):
        try:
            size = zstandard.frame_content_size(chunk.body)
        except zstandard.ZstdError as error:
            raise _refused(f"chunk {number} of its samples cannot be read: {error}") from error
        if size < 0:
            raise _refused(f"chunk {number} of its samples does not say how large it is")
        total += size
    if total > _SAMPLES_MAX:
        raise _refused(
            f"its samples have {total:,} bytes unpacked, more than the {_SAMPLES_MAX:,} that are"
            " read"
        )


def _check_signals(evidence: Evidence) -> None:
    """What the policy judges is known here, or the replay would leave it out in silence."""
    plan, policy = evidence.attempt.plan, evidence.attempt.policy
    bound = () if plan is None else tuple(b.signal.name for b in plan.signals)
    known = sorted({*SIGNAL_NAMES, *bound})
    for place, name in _named(policy):
        if name in known:
            continue
        near = get_close_matches(name, known, 1)
        hint = f"; did it mean {near[0]}?" if near else f"; there are {', '.join(known)}"
        raise InputError(
            f"the policy {policy.name!r} of this file has a signal {name!r} that"
            f" this serinus does not know{hint} The file was written by serinus"
            f" {evidence.serinus or 'unknown'}, this is {serinus_version()}",
            field=place,
            semantic=True,
        )


def _named(policy: Policy) -> Iterator[tuple[str, str]]:
    """Every signal that a policy names, with where."""
    for name in policy.signals:
        yield f"policy.signals.{name}", name
    for key, wish in (("fail_when", policy.fail_when), ("pass_needs", policy.pass_needs)):
        for name in sorted(() if wish is None else wish.names):
            yield f"policy.{key}", name


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _refused(text: str) -> InputError:
    return InputError(text, field="file")

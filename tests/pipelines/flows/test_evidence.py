"""The evidence file: what a verdict was made from, complete and unaltered, or refused."""

from __future__ import annotations

import hashlib
import json
import resource
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.gate.expression import signal as expressed
from detector.gate.policy import Policy, SignalPolicy
from detector.gate.record import Chunk, StoredVerdict, chunk_of
from detector.gate.ruling import rule
from detector.gate.session import Session
from detector.gate.verdict import Outcome
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind, Shape, Signal, Unit
from pipelines.flows.evidence import FILE_MAX, Evidence, pack_evidence, unpack_evidence
from pipelines.flows.export_archive import MAGIC, MEMBERS
from pipelines.version import code_version, serinus_version
from tests.detector.gate.test_attempt import attempt
from tests.detector.gate.test_ruling import PASS, circumstances
from tests.pipelines.flows.scripted import T0, World, ask

BODIES = st.lists(st.binary(max_size=40), max_size=5)


def chain(bodies: list[bytes]) -> tuple[Chunk, ...]:
    """The chunks of an attempt, one after the other, packed as samples are."""
    head, chunks = "", []
    for body in bodies:
        chunks.append(chunk_of("a", head, zstandard.compress(body)))
        head = chunks[-1].hash
    return tuple(chunks)


def evidence(bodies: list[bytes]) -> Evidence:
    """A verdict made from these samples."""
    chunks = chain(bodies)
    seen = replace(circumstances(), head=chunks[-1].hash if chunks else "")
    stored = StoredVerdict(verdict=rule(attempt(), PASS, seen), seen=seen)
    return Evidence(attempt=attempt(), stored=stored, chunks=chunks)


def refused(made: Evidence, words: str) -> None:
    with pytest.raises(InputError, match=words) as told:
        unpack_evidence(pack_evidence(made))
    assert told.value.field == "file"


@given(BODIES)
def test_a_file_gives_back_what_was_put_in(bodies: list[bytes]) -> None:
    """The colleague who replays it sees the same verdict, samples and circumstances."""
    made = evidence(bodies)
    found = unpack_evidence(pack_evidence(made))
    assert (found.attempt, found.stored, found.chunks) == (made.attempt, made.stored, made.chunks)
    assert found.given == made.given
    assert (found.serinus, found.code) == (serinus_version(), code_version())
    assert pack_evidence(found) == pack_evidence(made), "the same bytes again"


@given(BODIES.filter(len), st.data())
def test_a_changed_sample_is_found(bodies: list[bytes], data: st.DataObject) -> None:
    """Nobody makes a fail a pass by editing what it was made from."""
    made = evidence(bodies)
    at = data.draw(st.integers(0, len(bodies) - 1))
    forged = [
        replace(chunk, body=chunk.body + b"x") if n == at else chunk
        for n, chunk in enumerate(made.chunks)
    ]
    refused(
        replace(made, chunks=tuple(forged)), "samples are missing in this file, or were changed"
    )


@given(st.lists(st.binary(max_size=9), min_size=2, max_size=5, unique=True), st.data())
def test_a_missing_or_moved_sample_is_found(bodies: list[bytes], data: st.DataObject) -> None:
    """Nor by leaving out the minute in which it failed, nor by telling it in another order."""
    made = evidence(bodies)
    at = data.draw(st.integers(0, len(bodies) - 1))
    without = made.chunks[:at] + made.chunks[at + 1 :]
    refused(replace(made, chunks=without), "samples")
    refused(replace(made, chunks=made.chunks[::-1]), "were changed")


def test_a_history_that_goes_on_is_not_that_of_the_verdict() -> None:
    """What was read after it cannot have been looked at."""
    made = evidence([b"one", b"two"])
    later = chain([b"one", b"two", b"three"])
    refused(replace(made, chunks=later), "samples are missing")
    refused(replace(made, chunks=()), "samples are missing")


@given(BODIES.filter(len), st.data())
def test_an_earlier_head_has_the_samples_up_to_it(bodies: list[bytes], data: st.DataObject) -> None:
    """The answer of the deadline is replayed from what was known at the deadline."""
    made = evidence(bodies)
    at = data.draw(st.integers(0, len(bodies) - 1))
    assert made.up_to(made.chunks[at].hash) == made.chunks[: at + 1]
    assert made.up_to("unknown") == ()


# -- what is no evidence file


@given(st.binary(max_size=60))
def test_any_other_bytes_are_refused_in_words(file: bytes) -> None:
    """A picture, an empty file, half a download: told as no evidence file, never a traceback."""
    for start in (b"", MAGIC, b"\x28\xb5\x2f\xfd"):
        with pytest.raises(InputError, match=r"no evidence file|cut short, or is none"):
            unpack_evidence(start + file)


@given(st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_short_is_refused(kept: float) -> None:
    """A download that broke off is not taken for a shorter history."""
    file = pack_evidence(evidence([b"one", b"two" * 50]))
    with pytest.raises(InputError, match=r"cut short|no evidence file"):
        unpack_evidence(file[: int(kept * len(file))])


@given(st.integers(0, 1 << 30), st.integers(1, 255))
def test_a_flipped_byte_changes_nothing_or_is_found(place: int, change: int) -> None:
    """A disk that lies about one byte: the same evidence, or words; never another answer."""
    made = evidence([b"one", b"two" * 50])
    file = bytearray(pack_evidence(made))
    file[place % len(file)] ^= change
    try:
        found = unpack_evidence(bytes(file))
    except InputError:
        return
    assert (found.attempt, found.stored, found.chunks) == (made.attempt, made.stored, made.chunks)


def members() -> dict[str, bytes]:
    """The members of a good file, the manifest first."""
    with zipfile.ZipFile(BytesIO(pack_evidence(evidence([b"one"])))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(content: Mapping[str, bytes], *more: tuple[str, bytes]) -> bytes:
    """An archive of these members."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in (*content.items(), *more):
            archive.writestr(name, value)
    return target.getvalue()


def told(file: bytes) -> str:
    """Why it is refused."""
    with pytest.raises(InputError) as caught:
        unpack_evidence(file)
    assert caught.value.field == "file"
    return str(caught.value)


@pytest.mark.parametrize("name", [*MEMBERS])
def test_a_changed_member_is_named_with_its_checksum(name: str) -> None:
    """Whoever edits the answer, the policy or the queries is found out, and it is said where."""
    good = members()
    wanted = json.loads(good["manifest.json"])["members"][name]["sha256"][:16]
    words = told(zipped({**good, name: good[name] + b" "}))
    assert words.startswith(f"{name} was changed: its SHA-256 is ")
    assert f"the manifest says {wanted}" in words


@pytest.mark.parametrize("name", ["manifest.json", *MEMBERS])
def test_a_missing_member_is_named(name: str) -> None:
    """It is not replayed without it."""
    good = members()
    del good[name]
    assert name in told(zipped(good))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_no_meaning_are_refused() -> None:
    """Nothing rides along, and nothing is there twice with two meanings."""
    good = members()
    assert "has a member of no meaning: x.sh" in told(zipped(good, ("x.sh", b"")))
    assert "has twice answer.json" in told(zipped(good, ("answer.json", good["answer.json"])))


def with_manifest(**changes: object) -> bytes:
    """A file whose manifest says something else."""
    good = members()
    manifest = json.loads(good["manifest.json"]) | changes
    return zipped({**good, "manifest.json": json.dumps(manifest).encode()})


def test_a_newer_file_asks_for_a_newer_serinus() -> None:
    """It is not half understood; which version can read it is said."""
    words = told(with_manifest(version=3, serinus="2.0.0", members={"all.bin": 7}))
    assert words == (
        "this evidence file has version 3, this serinus reads up to 2: take serinus 2.0.0 or newer"
    )


def test_other_archives_are_no_evidence() -> None:
    """A wheel, a document, the evidence of something else."""
    assert "it has no manifest.json" in told(zipped({"a.txt": b"a"}))
    assert "its manifest says 'other'" in told(with_manifest(format="other"))
    assert "manifest.json cannot be read" in told(with_manifest(version="two"))
    assert "has no checksum of samples" in told(
        with_manifest(members={n: {"bytes": 1, "sha256": ""} for n in [*MEMBERS][:-1]})
    )


def test_an_answer_that_is_not_that_of_the_record_is_found() -> None:
    """Also where somebody computed the checksum anew."""
    good = members()
    answer = json.loads(good["answer.json"]) | {"outcome": "fail"}
    content = json.dumps(answer).encode()
    manifest = json.loads(good["manifest.json"])
    manifest["members"]["answer.json"] = {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    file = zipped({**good, "answer.json": content, "manifest.json": json.dumps(manifest).encode()})
    assert "speak of different verdicts" in told(file)


@pytest.mark.parametrize("name", ["manifest.json", "answer.json", "record.msgpack"])
def test_a_content_nested_without_end_is_refused(name: str) -> None:
    """Ten thousand brackets are no reason to crash."""
    content = b"\x91" * 10_000 if name.endswith("msgpack") else b'{"a":' * 10_000
    good = members()
    if name == "manifest.json":
        assert "manifest.json cannot be read" in told(zipped({**good, name: content}))
        return
    manifest = json.loads(good["manifest.json"])
    manifest["members"][name] = {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    forged = {**good, name: content, "manifest.json": json.dumps(manifest).encode()}
    assert "its content is not what its version has" in told(zipped(forged))


# -- bounds


def peak_kb() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_a_small_archive_cannot_fill_the_memory() -> None:
    """A megabyte that unpacks to a gigabyte is refused before it is unpacked."""
    target = BytesIO()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("manifest.json", "w") as member,
    ):
        for _ in range(16):
            member.write(bytes(1 << 24))
    before = peak_kb()
    assert "manifest.json has 268,435,456 bytes unpacked, more than" in told(target.getvalue())
    assert peak_kb() - before < 100_000


def test_an_archive_that_lies_about_a_size_is_bounded() -> None:
    """The size that it declares is all that is read of a member."""
    good = members()
    file = bytearray(zipped({**good, "policy.json": bytes(1 << 23)}))
    real = (1 << 23).to_bytes(4, "little")
    while (at := file.find(real)) >= 0:
        file[at : at + 4] = (100).to_bytes(4, "little")
    assert "policy.json was changed" in told(bytes(file))


def old(frame: Mapping[str, object]) -> bytes:
    """A file of version 1."""
    return zstandard.compress(msgspec.msgpack.encode(frame))


def test_a_small_old_file_cannot_fill_the_memory() -> None:
    """Sixty kilobytes that unpack to a gigabyte are refused before they are unpacked."""
    sink = zstandard.ZstdCompressor(level=1).compressobj(size=1 << 30)
    zeros = bytes(1 << 24)
    bomb = b"".join([*(sink.compress(zeros) for _ in range(64)), sink.flush()])
    assert len(bomb) < 200_000
    before = peak_kb()
    assert "more than the 536,870,912 that are read" in told(bomb)
    assert peak_kb() - before < 200_000


def test_samples_that_would_fill_the_memory_are_refused() -> None:
    """Each chunk may be large, all together may not; a size is known before it is unpacked."""
    sink = zstandard.ZstdCompressor(level=1).compressobj(size=(1 << 30) + 1)
    parts = [sink.compress(bytes(1 << 24)) for _ in range(64)]
    huge = b"".join([*parts, sink.compress(b"x"), sink.flush()])
    stream = zstandard.ZstdCompressor().compressobj()
    unsized = stream.compress(b"x") + stream.flush()
    for body, words in (
        (huge, "1,073,741,825 bytes unpacked"),
        (unsized, "chunk 1 of its samples does not say how large it is"),
        (b"no zstandard", "chunk 1 of its samples cannot be read"),
    ):
        chunk = chunk_of("a", "", body)
        made = evidence([])
        seen = replace(made.stored.seen, head=chunk.hash)
        stored = replace(made.stored, seen=seen)
        assert words in told(pack_evidence(replace(made, stored=stored, chunks=(chunk,))))


def test_a_file_that_is_too_large_is_not_looked_at() -> None:
    """By its length alone."""
    assert "more than the 268,435,456 that are read" in told(bytes(FILE_MAX + 1))


# -- what is in it


def judged_by(**signals: SignalPolicy) -> bytes:
    """A file whose policy has these signals."""
    made = evidence([b"one"])
    of = replace(made.attempt, policy=Policy(name="strict", signals=signals))
    return pack_evidence(replace(made, attempt=of))


def test_a_policy_with_an_unknown_signal_is_told_not_ignored() -> None:
    """A newer serinus judged something that this one would leave out in silence."""
    with pytest.raises(InputError) as caught:
        unpack_evidence(judged_by(latencies=SignalPolicy(tolerate=0.1)))
    assert caught.value.field == "policy.signals.latencies"
    assert "the policy 'strict' of this file has a signal 'latencies'" in str(caught.value)
    assert "did it mean latency?" in str(caught.value)
    known = unpack_evidence(judged_by(latency=SignalPolicy(tolerate=0.1)))
    assert known.attempt.policy.name == "strict"


def test_an_expression_with_an_unknown_signal_is_told_too() -> None:
    """It decides what fails: half of it would be another rule."""
    made = evidence([b"one"])
    of = replace(made.attempt, policy=Policy(fail_when=expressed("latencies")))
    with pytest.raises(InputError, match="a signal 'latencies'") as caught:
        unpack_evidence(pack_evidence(replace(made, attempt=of)))
    assert caught.value.field == "policy.fail_when"


def test_a_signal_that_the_plan_binds_is_known() -> None:
    """It came from a pack of their own, and the samples are all there."""
    made = evidence([b"one"])
    mine = BoundSignal(
        signal=Signal(name="queue_lag", kind=Kind.GAUGE),
        pack="own",
        unit=Unit.POD,
        total=Family(metric="lag", shape=Shape.GAUGE),
    )
    plan = Plan(
        service="s", canary=(), control=((),), requests=Family(metric="r", shape=Shape.COUNTER),
        signals=(mine,),
    )  # fmt: skip
    policy = Policy(signals={"queue_lag": SignalPolicy(required=True)})
    of = replace(made.attempt, policy=policy, plan=plan)
    assert unpack_evidence(pack_evidence(replace(made, attempt=of))).attempt.policy == policy


def test_people_can_read_it_without_us() -> None:
    """Any tool that opens zip archives shows the answer, the policy and the queries."""
    world = World()
    world.shop()
    world.clock.at = T0 + 400
    verdict = world.gate.judge(ask())
    with zipfile.ZipFile(BytesIO(world.gate.records.export(verdict.id))) as archive:
        assert json.loads(archive.read("answer.json"))["outcome"] == "pass"
        assert json.loads(archive.read("policy.json"))["alpha"] == 0.005
        assert json.loads(archive.read("queries.json")) == [
            {
                "arm": "canary",
                "query": 'http_requests_total{service="checkout",track="canary"}',
            },
            {
                "arm": "control",
                "query": 'http_requests_total{service="checkout",track="stable"}',
            },
        ]


# -- files that were written before


GOLDEN = Path(__file__).parent / "golden"
FACTS = {
    "evidence-1.serinus": ("01a0c45993c0ff983f4c3b471016", ""),
    "evidence-2.serinus": ("01a0c45993c0ff983f4c3b471016", "0.1.0"),
}


@pytest.mark.parametrize("name", FACTS)
def test_a_file_of_an_earlier_version_is_read_for_ever(name: str) -> None:
    """Somebody kept it for the review in a year: the same verdict, samples and policy."""
    found = unpack_evidence((GOLDEN / name).read_bytes())
    verdict = found.stored.verdict
    assert (verdict.id, found.serinus) == FACTS[name]
    assert (verdict.outcome, verdict.reason.code) == (Outcome.FAIL, "error_rate_up")
    assert (verdict.engine, found.given["engine"]) == ("1.0.0", "1.0.0")
    assert found.attempt.policy.history_s == 3600.0
    assert len(found.chunks) == 9
    assert found.attempt.plan is not None
    assert [b.signal.name for b in found.attempt.plan.signals][:2] == ["error_rate", "latency"]


@pytest.mark.parametrize("name", FACTS)
def test_a_file_of_an_earlier_version_is_replayed(name: str) -> None:
    """By today's statistics, which call it the same: numbers may differ, and are then told."""
    records = World(factory=Session).gate.records  # type: ignore[arg-type]
    again = records.replay_file((GOLDEN / name).read_bytes())
    assert (again.outcome, again.reason.code) == (Outcome.FAIL, "error_rate_up")

"""Which codes are errors, by protocol (gate method, section 1)."""

from __future__ import annotations

import re

import pytest

from detector.errors import ConfigError
from detector.signals.packs import parse_pack, shipped_packs
from detector.signals.packs.codes import TABLES, Codes

GRPC = {
    0: "OK", 1: "CANCELLED", 2: "UNKNOWN", 3: "INVALID_ARGUMENT", 4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND", 6: "ALREADY_EXISTS", 7: "PERMISSION_DENIED", 8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION", 10: "ABORTED", 11: "OUT_OF_RANGE", 12: "UNIMPLEMENTED",
    13: "INTERNAL", 14: "UNAVAILABLE", 15: "DATA_LOSS", 16: "UNAUTHENTICATED",
}  # fmt: skip
BAD = {2, 4, 8, 13, 14, 15}


def is_bad(table: Codes, code: str) -> bool:
    return re.fullmatch(TABLES[table].bad, code) is not None


def is_code(table: Codes, text: str) -> bool:
    return re.fullmatch(TABLES[table].like, text) is not None


@pytest.mark.parametrize("number", range(17))
def test_every_grpc_status_by_number_and_by_name(number: int) -> None:
    """A caller's mistake must not roll back a release, a server's must."""
    name = GRPC[number]
    words = (str(number), name, name.title().replace("_", ""))
    assert [is_bad(Codes.GRPC, word) for word in words] == [number in BAD] * 3
    assert all(is_code(Codes.GRPC, word) for word in words)


@pytest.mark.parametrize("code", range(100, 600))
def test_http_errors_are_the_server_s(code: int) -> None:
    """499 and 429 are the client's doing; 0 is one only where a proxy says it."""
    assert is_bad(Codes.HTTP, str(code)) is (code >= 500)
    assert is_bad(Codes.PROXY, str(code)) is (code >= 500)
    assert is_code(Codes.HTTP, str(code))


def test_no_answer_is_an_error_of_a_proxy_alone() -> None:
    """A library that counts 0 has no code to tell."""
    assert is_bad(Codes.PROXY, "0")
    assert not is_code(Codes.HTTP, "0")


@pytest.mark.parametrize(
    ("text", "bad"), [("2xx", False), ("5xx", True), ("5", True), ("4", False), ("other", False)]
)
def test_classes_of_codes(text: str, bad: bool) -> None:
    """HAProxy and Envoy count by class."""
    assert is_bad(Codes.HTTP_CLASS, text) is bad


@pytest.mark.parametrize("text", ["success", "error", "", "2xxx", "20"])
def test_words_are_no_http_codes(text: str) -> None:
    """`status="error"` read as a code would be no errors at all."""
    assert not is_code(Codes.HTTP, text)


HEAD = "name: a\ntitle: b\npublished: https://c\n"


def test_a_table_fills_in_what_it_says() -> None:
    """A pack names the protocol; the codes are in one place."""
    text = HEAD + "requests: [{metric: a_total, errors: {labels: [code], codes: grpc}}]\n"
    errors = parse_pack(text, origin="a.yaml").requests[0].errors
    assert (errors.match, errors.like) == (TABLES[Codes.GRPC].bad, TABLES[Codes.GRPC].like)


def test_a_pack_s_own_codes_stand_before_the_table_s() -> None:
    """A team that counts 429 as an error says so."""
    own = '{labels: [code], codes: http, match: "429|5.."}'
    text = HEAD + f"requests: [{{metric: a_total, errors: {own}}}]\n"
    errors = parse_pack(text, origin="a.yaml").requests[0].errors
    assert (errors.match, errors.like) == ("429|5..", TABLES[Codes.HTTP].like)


def test_every_shipped_pack_says_what_its_errors_are() -> None:
    """A pack without would judge latency alone and pass what fails."""
    for pack in shipped_packs():
        for requests in pack.requests:
            assert requests.errors.metrics or (requests.errors.labels and requests.errors.match)


SIGNAL = "signals:\n  - {name: waits, kind: gauge, metric: a_waits}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("requests: [{metric: a, errors: {labels: [c]}}]", "requests[0].errors.match: say which"),
        (
            "requests: [{metric: a, errors: {labels: [c], codes: smtp}}]",
            "Invalid enum value 'smtp'",
        ),
        (
            "requests: [{metric: a, errors: {labels: [c], match: x, metrics: [b]}}]",
            "errors.metrics",
        ),
        (SIGNAL + "spelled: {proxy: x}", "spelled.proxy: does not say where the name is"),
        (SIGNAL + 'spelled: {proxy: "<service>("}', "spelled.proxy: the regular expression"),
        (SIGNAL.replace("waits,", "latency,"), "signals[0].name: 'latency' is no name of its own"),
        (SIGNAL.replace("gauge", "ratio"), "signals[0].errors: a ratio needs them"),
        (
            SIGNAL.replace("gauge", "latency"),
            "signals[0].metric: 'a_waits' does not end in _bucket",
        ),
        (SIGNAL.replace("kind: gauge", "kind: events, grows: true"), "only a gauge"),
        (SIGNAL.replace("}", ", judged: true}"), "signals[0].judged: a gauge is shown only"),
        (SIGNAL.replace("}", ", shape: start_time}"), "for the kind gauge it is one of gauge"),
        (SIGNAL.replace("}", ", scale: 0}"), "signals[0].scale: 0"),
        (SIGNAL.replace("}", ", where: {a: '['}}"), "signals[0].where.a: the regular expression"),
        (SIGNAL.replace("metric", "metrik"), "unknown key signals[0].metrik"),
        (SIGNAL.replace("}", ", errors: {lables: [a]}}"), "unknown key signals[0].errors.lables"),
    ],
)
def test_a_part_that_makes_no_sense_is_named(text: str, told: str) -> None:
    """What the types allow and nobody can mean is refused at start, with its key."""
    with pytest.raises(ConfigError, match=r"a\.yaml: ") as caught:
        parse_pack(HEAD + text, origin="a.yaml")
    assert told in str(caught.value)

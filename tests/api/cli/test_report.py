from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.bodies.answer import EXAMPLE_VERDICT
from api.cli import amounts
from api.cli.guard import CouldNotAskError
from api.cli.report import UNDECIDED, Place, plain, report_of
from api.cli.told import Effect, Needs, Reason, Signal, Told, told_of
from detector.gate.reason import ReasonCode

ERRORS = Signal(
    name="error_rate",
    outcome="fail",
    unit="ratio",
    canary=0.021,
    control=0.004,
    effect=Effect(
        kind="difference", value=0.017, low=0.009, high=0.026, tolerate=0.001, limit=0.005
    ),
    evidence=4200.0,
    needed=667.0,
    reason=Reason(code="error_rate_up", text="Errors: 2.1 % against 0.4 %."),
)
TAIL = Signal(
    name="tail99",
    outcome="inconclusive",
    judged=False,
    unit="seconds",
    canary=0.25,
    control=1.5,
    effect=Effect(kind="ratio", value=1.52, low=1.31, high=None, tolerate=1.05, limit=1.2),
    evidence=3e9,
    needed=None,
    scope="checkout-6d9f7c-k8w2d",
    reason=Reason(code="low_traffic", text="Too few requests."),
)
HERE = Place(url="http://127.0.0.1:8080")


def told(**changes: object) -> Told:
    """The documented example, with changes."""
    return msgspec.structs.replace(told_of(msgspec.json.encode(EXAMPLE_VERDICT)), **changes)


def test_text_is_what_we_show_in_the_documents() -> None:
    """It is stable: people grep it."""
    found = plain(report_of(told(signals=(ERRORS, TAIL)), HERE))
    attempt = "019a0b1c2d3e0123456789abcdef"
    assert found.splitlines() == [
        (
            "fail: Errors of checkout 6d9f7c: 2.1 % against 0.4 % (+1.7 points, 95 % between 0.9"
            " and 2.6); tolerated +0.1, since 14:07."
        ),
        (
            "checkout v2.3.1: may it go on? As of 2026-11-23T14:12:00Z, final,"
            " policy default@sha256:2f6d9e1c5b7a8034, mode enforce."
        ),
        "",
        (
            "signal      says            canary  control         effect (90 %)  tolerated    limit"
            "  evidence of harm"
        ),
        (
            "error_rate  fail             2.1 %   0.40 %  +1.7 pt (0.9 to 2.6)    +0.1 pt  +0.5 pt"
            "       4200 of 667"
        ),
        (
            "tail99      (inconclusive)  250 ms    1.5 s     x1.52 (1.31 to ?)      x1.05    x1.20"
            "               3e9"
        ),
        "",
        "error_rate: Errors: 2.1 % against 0.4 %.",
        "tail99 on checkout-6d9f7c-k8w2d (shown only): Too few requests.",
        "",
        "code     error_rate_up (docs/troubleshooting.md#error_rate_up)",
        "verdict  019a0b1c2d3e4f5061728394a5b6 of attempt " + attempt,
        "page     http://127.0.0.1:8080/rollouts/" + attempt,
        ("why      serinus explain 019a0b1c2d3e4f5061728394a5b6 --server http://127.0.0.1:8080"),
        (
            f"next     roll back; or, if you know better: serinus override {attempt}"
            " --outcome pass --for 1h --reason WHY --server http://127.0.0.1:8080"
        ),
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answer": "pass", "outcome": "pass"}, "--stage final"),
        ({"answer": "pass", "outcome": "pass", "stage": "final"}, "become the stable version"),
        ({"answer": "pass", "mode": "shadow"}, "nothing stops this rollout in mode shadow"),
        ({"answer": "inconclusive", "mode": "pause"}, "the rollout pauses"),
        ({"answer": "inconclusive", "outcome": "inconclusive", "final": False}, "--wait"),
        (
            {
                "answer": "inconclusive",
                "outcome": "inconclusive",
                "reason": Reason(code="deadline_reached", text="late"),
            },
            "--deadline",
        ),
        ({"answer": "inconclusive", "outcome": "inconclusive"}, "a person has decided"),
    ],
)
def test_every_answer_has_a_next_move(changes: dict[str, object], words: str) -> None:
    """Nobody is left alone with an exit code."""
    last = plain(report_of(told(**changes), HERE)).splitlines()[-1]
    assert last.startswith("next ")
    assert words in last


@pytest.mark.parametrize("code", sorted(UNDECIDED))
def test_codes_with_a_move_of_their_own_are_codes(code: str) -> None:
    """Each is a word of the closed list, and is told what to do about."""
    changes = {"answer": "inconclusive", "outcome": "inconclusive", "final": False}
    found = plain(report_of(told(**changes, reason=Reason(code=code, text="so")), HERE))
    assert code in set(ReasonCode)
    assert found.splitlines()[-1] == f"next     {UNDECIDED[code]}"


def test_note_that_the_sentence_says_is_not_said_twice() -> None:
    """The nearest names are read once."""
    reason = Reason(code="no_canary_data", text="No series. There is checkout-6d9f7c.")
    found = plain(report_of(told(reason=reason, notes=("There is checkout-6d9f7c.", "x")), HERE))
    assert found.count("There is checkout-6d9f7c.") == 1
    assert "note     x" in found


def test_nothing_is_named_that_was_not_kept() -> None:
    """Without a store an id leads nowhere; the text says how to keep one."""
    found = plain(report_of(told(), Place()))
    assert "019a0b1c2d3e4f5061728394a5b6" not in found
    assert "serinus override" not in found
    assert "--data DIR" in found


def test_a_replay_tells_nobody_what_to_do() -> None:
    """The rollout that it speaks of may be long over."""
    found = plain(report_of(told(), Place(is_past=True)))
    assert "019a0b1c2d3e4f5061728394a5b6" in found
    assert "next" not in found


def test_an_effect_without_any_bound_is_not_shown() -> None:
    """With no sample of the canary `x8.00 (? to ?)` read like a catastrophe."""
    nothing = Effect(kind="ratio", value=8.0, low=None, high=None, tolerate=1.16, limit=2.01)
    assert amounts.effect(nothing) == "-"


def test_needs_are_told_until_it_fails() -> None:
    """188 more requests do not heal a fail."""
    needs = Needs(requests=188, seconds=540, canary_pods=2)
    undecided = told(answer="inconclusive", outcome="inconclusive", needs=needs, final=False)
    words = "188 more requests of the canary, about 9 minutes, 2 canary pods"
    assert words in plain(report_of(undecided, HERE))
    assert words not in plain(report_of(told(needs=needs), HERE))


def test_notes_and_waiting_are_shown() -> None:
    """What a person should know beside."""
    found = plain(report_of(told(notes=("one", "two"), waiting="waiting for traffic"), HERE))
    assert all(f"{kind:<8} {text}" in found for kind, text in [
        ("note", "one"), ("note", "two"), ("waiting", "waiting for traffic"),
    ])  # fmt: skip


def test_newer_server_may_say_more() -> None:
    """A command line of last month still reads it."""
    body = msgspec.json.encode({**EXAMPLE_VERDICT, "colour": "blue"})
    assert told_of(body).answer == "fail"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"<html>", msgspec.json.encode({**EXAMPLE_VERDICT, "answer": "maybe"})],
)
def test_body_that_is_no_verdict_is_refused(body: bytes) -> None:
    """And is never shown as one."""
    with pytest.raises(CouldNotAskError):
        told_of(body)


numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(
    value=numbers,
    low=numbers,
    high=numbers,
    kind=st.sampled_from(["difference", "ratio"]),
    unit=st.sampled_from(["ratio", "seconds", "per pod-hour", ""]),
    evidence=st.none() | st.floats(0, 1e300),
)
def test_any_number_can_be_shown(
    value: float | None,
    low: float | None,
    high: float | None,
    kind: str,
    unit: str,
    evidence: float | None,
) -> None:
    """A strange number does not become a traceback in the middle of an incident."""
    effect = Effect(kind=kind, value=value, low=low, high=high, tolerate=low, limit=high)
    signal = msgspec.structs.replace(
        ERRORS, unit=unit, canary=value, control=low, effect=effect, evidence=evidence
    )
    lines = plain(report_of(told(signals=(signal,)), HERE)).splitlines()
    assert len([line for line in lines if line.startswith("error_rate  ")]) == 1


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (None, "ratio", "-"),
        (0.0, "ratio", "0.000 %"),
        (0.00042, "ratio", "0.042 %"),
        (0.0042, "ratio", "0.42 %"),
        (0.042, "ratio", "4.2 %"),
        (0.42, "ratio", "42 %"),
        (0.0421, "seconds", "42.1 ms"),
        (1.5, "seconds", "1.5 s"),
        (0.25, "per pod-hour", "0.25 /pod h"),
    ],
)
def test_levels_have_their_unit(value: float | None, unit: str, words: str) -> None:
    """42 is a share, a time or a count."""
    assert amounts.level(value, unit) == words

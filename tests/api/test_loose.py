"""Numbers as text and empty text: what Argo's templates send, because their arguments are text."""

from __future__ import annotations

import pytest

from tests.api.doors import passing_door, problem_of

LOOSE = ("control", "namespace", "cluster", "rollout", "revision", "attempt")
TIMES = ("started_at", "deadline", "as_of")
DEFAULTED = ("weight", "stage", "policy")
NO_TIMES: tuple[object, ...] = (
    *([], {}, True, -1, 10**30, "1" + "0" * 400, 1e300, "now", "NaN", "inf"),
    *("2026-11-23", "2026-11-23T14:00:00", "2026-13-01T00:00:00Z"),
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59"),
)


@pytest.mark.parametrize("field", [*LOOSE, *TIMES, *DEFAULTED])
@pytest.mark.parametrize("empty", ["", "  ", None], ids=["empty", "blank", "null"])
def test_an_empty_value_means_absent(field: str, empty: str | None) -> None:
    """An argument without a value must not make an error of every measurement."""
    door = passing_door()
    plain = door.post().json()
    answer = door.post(**{field: empty})
    assert answer.status_code == 200
    assert answer.json()["attempt"] == plain["attempt"]


@pytest.mark.parametrize("field", ["service", "canary"])
@pytest.mark.parametrize("empty", ["", " ", None], ids=["empty", "blank", "null"])
def test_an_empty_value_of_what_is_needed_is_refused(field: str, empty: str | None) -> None:
    """A template whose hash resolved to nothing is told so, by the field's name."""
    assert problem_of(passing_door().post(**{field: empty})) == (422, field)


@pytest.mark.parametrize("weight", ["20", " 20 ", "20.0", 20, 0, 100, "1e1"])
def test_a_weight_may_be_a_number_or_text(weight: object) -> None:
    """Argo substitutes arguments as text."""
    assert passing_door().post(weight=weight).status_code == 200


@pytest.mark.parametrize(
    "weight", [-1, 100.5, "101", "NaN", "inf", "-Infinity", "abc", "0x10", True, [], {}, "²"]
)
def test_a_weight_that_is_no_share_is_refused(weight: object) -> None:
    """NaN in a weight would compare false with everything, and so be anything."""
    assert problem_of(passing_door().post(weight=weight)) == (422, "weight")


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "1e999", "-1e999", "+1", "01", ".5"])
def test_a_number_that_json_does_not_have_is_refused(literal: str) -> None:
    """What one reader takes for a number another one does not."""
    body = f'{{"service": "checkout", "canary": "{{}}", "weight": {literal}}}'
    assert problem_of(passing_door().raw(body)) == (400, "body")


@pytest.mark.parametrize("field", TIMES)
@pytest.mark.parametrize(
    "time",
    NO_TIMES,
    ids=repr,
)
def test_what_is_no_time_is_refused(field: str, time: object) -> None:
    """A time without a zone, or outside what a clock shows, is a mistake and no server error."""
    assert problem_of(passing_door().post(**{field: time})) == (422, field)


@pytest.mark.parametrize(
    "time", ["2026-09-21T14:13:20Z", "2026-09-21T16:13:20+02:00", 1_790_000_000, "1790000000.0"]
)
def test_a_time_may_be_iso_or_unix_seconds(time: object) -> None:
    """All of these are the same moment."""
    assert passing_door().post(started_at=time).json()["started_at"] == "2026-09-21T14:13:20Z"


@pytest.mark.parametrize("field", [*LOOSE, "service", "canary"])
@pytest.mark.parametrize("value", [1, True, [], {}, ["x"]], ids=repr)
def test_text_is_text(field: str, value: object) -> None:
    """A list where a name belongs is refused by the field's name."""
    assert problem_of(passing_door().post(**{field: value})) == (422, field)


@pytest.mark.parametrize("field", ["service", "namespace", "rollout", "attempt", "revision"])
@pytest.mark.parametrize("value", ["a\x00b", "a\x1bb", "a" * 513], ids=["nul", "escape", "long"])
def test_a_name_that_no_thing_has_is_refused(field: str, value: str) -> None:
    """Control characters would end in logs and terminals, long names in every label."""
    assert problem_of(passing_door().post(**{field: value})) == (422, field)

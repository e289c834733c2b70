"""What people decide: which of several decisions stands, and until when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.gate.decision import ModeChange, Override, standing_mode, standing_override
from detector.gate.policy import Mode
from detector.gate.verdict import Outcome

T0 = 1_790_000_000.0


def override(since: float, until: float) -> Override:
    """A decision."""
    return Override(
        attempt="a",
        outcome=Outcome.PASS,
        person="ann",
        reason=str(since),
        at=T0 + since,
        until=T0 + until,
    )


SPANS = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=6)


@given(SPANS, st.floats(0, 250))
def test_only_the_newest_override_can_stand(spans: list[tuple[float, float]], at: float) -> None:
    """An older one does not come back when a newer one expires."""
    made = [override(since, since + length) for since, length in spans]
    standing = standing_override(made, T0 + at)
    known = [o for o in made if o.at <= T0 + at]
    if standing is None:
        newest = max(known, key=lambda o: o.at, default=None)
        assert (
            newest is None
            or newest.until <= T0 + at
            or any(o.at == newest.at and o.until <= T0 + at for o in known)
        )
    else:
        assert standing.at <= T0 + at < standing.until
        assert all(o.at <= standing.at for o in known)


def glass(service: str | None, mode: Mode | None, since: float, until: float) -> ModeChange:
    """A break-glass mode."""
    return ModeChange(
        tenant="t",
        service=service,
        mode=mode,
        person="ann",
        reason="r",
        at=T0 + since,
        until=T0 + until,
    )


def test_the_mode_of_a_service_goes_before_that_of_all() -> None:
    """And ends on its own."""
    changes = [
        glass(None, Mode.SHADOW, 0, 100),
        glass("checkout", Mode.PAUSE, 10, 50),
        glass("cart", Mode.ADVISE, 10, 90),
        glass(None, None, 70, 90),
    ]
    got = []
    for second in (-1, 5, 20, 60, 75):
        change = standing_mode(changes, "checkout", T0 + second)
        got.append(None if change is None else change.mode)
    assert got == [None, Mode.SHADOW, Mode.PAUSE, Mode.SHADOW, None]

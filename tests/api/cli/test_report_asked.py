"""What `serinus report capacity` is asked for: wrong usage is told before a source is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cli.report_run import Asked
from detector.errors import InputError
from tests.api.cli.served import serinus

NOW = 1_795_590_000.0
ALL = Asked(
    services=(), team="", every=True, horizon="90d", what_if=(), out=(), keep=True, jobs=1,
    as_json=False,
)  # fmt: skip


def test_all_is_all() -> None:
    """For 90 days, with nothing supposed."""
    order = ALL.order(NOW)
    assert (order.scope, order.horizon_s, order.what_if) == ("all services", 90 * 86_400, ())


def test_some_are_some() -> None:
    """Services of a team are both at once."""
    asked = replace(ALL, every=False, services=("cart", "web"), team="shop", horizon="30d")
    order = asked.order(NOW)
    assert (order.services, order.team, order.horizon_s) == (("cart", "web"), "shop", 30 * 86_400)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (replace(ALL, every=False), "service"),
        (replace(ALL, services=("cart",)), "service"),
        (replace(ALL, team="shop"), "service"),
        (replace(ALL, horizon="soon"), "horizon"),
        (replace(ALL, horizon="1h"), "horizon"),
        (replace(ALL, horizon="367d"), "horizon"),
        (replace(ALL, what_if=("traffic +40%", "more")), "what_if"),
        (replace(ALL, what_if=("traffic +40% from 2026-12-24 to 2026-12-01",)), "what_if"),
        (replace(ALL, out=(Path("a.html"), Path("b.xlsx"))), "out"),
    ],
    ids=["nothing", "both", "team and all", "words", "short", "long", "what", "order", "form"],
)
def test_what_is_wrong_is_named_by_its_option(asked: Asked, field: str) -> None:
    """Reading months takes minutes: nobody wants to hear of a typing error after them."""
    with pytest.raises(InputError) as caught:
        asked.order(NOW)
    assert caught.value.field == field


@given(st.integers(1, 366), st.sets(st.sampled_from(["a", "b"]), min_size=1), st.booleans())
def test_an_order_is_what_was_asked(days: int, services: set[str], team: bool) -> None:
    """Whatever is combined."""
    asked = replace(
        ALL,
        every=False,
        services=tuple(sorted(services)),
        team="shop" if team else "",
        horizon=f"{days}d",
    )
    order = asked.order(NOW)
    assert order.horizon_s == days * 86_400
    assert set(order.services) == services
    assert order.scope.endswith("team shop") == team
    assert not order.is_all


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--service: give --service NAME, --team NAME, or --all"),
        (("--all", "--horizon", "9y"), "--horizon: "),
        (("--all", "--what-if", "more"), "--what-if: "),
        (("--all", "--out", "r.txt"), "--out: "),
    ],
)
def test_the_shell_hears_it_too(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    """With the exit code of wrong usage, and no configuration read or directory made."""
    asked = serinus("report", "capacity", *words, "--data", str(tmp_path / "data"))
    assert asked.exit_code == 2
    assert told in asked.stderr
    assert not (tmp_path / "data").exists()


def test_a_source_that_knows_no_promql_is_told(tmp_path: Path) -> None:
    """Months are read by it; the exit code is that of a configuration that cannot be."""
    file = tmp_path / "serinus.yaml"
    file.write_text("source: {kind: nothing}\n", encoding="utf-8")
    asked = serinus("report", "capacity", "--all", "--config", str(file))
    assert asked.exit_code == 2
    assert "nothing" in asked.stderr

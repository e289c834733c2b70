"""What the gate remembers is looked for where the settings say that it is kept."""

from __future__ import annotations

from pathlib import Path

from api.cli.backtest_records import remembered, saved_policies
from api.settings import load_settings
from detector.gate.policy import Policy
from pipelines.stores.sqlite import open_sqlite


def test_where_nothing_is_kept_nothing_is_made(tmp_path: Path) -> None:
    """A look must not leave a database behind."""
    settings = load_settings(None, {"data": tmp_path / "none"})
    with remembered(settings) as stores:
        assert stores is None
    assert saved_policies(settings) == ()
    assert not (tmp_path / "none").exists()


def test_a_check_has_a_place_to_be_kept(tmp_path: Path) -> None:
    """The first thing that somebody does may be a self-check."""
    settings = load_settings(None, {"data": tmp_path / "new"})
    with remembered(settings, make=True) as stores:
        assert stores is not None
    assert (tmp_path / "new" / "serinus.db").is_file()


def test_what_was_saved_is_known(tmp_path: Path) -> None:
    """As controllers are judged by it."""
    stores = open_sqlite(tmp_path / "serinus.db")
    stores.policies.save(Policy(name="calm", alpha=0.001), at=1.0, person="ada")
    found = saved_policies(load_settings(None, {"data": tmp_path}))
    assert [(one.name, one.alpha) for one in found] == [("calm", 0.001)]

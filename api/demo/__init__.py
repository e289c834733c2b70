"""The demo: a small shop under real traffic, rolled out twice under the eyes of the gate."""

from __future__ import annotations

__all__ = ["run"]


def run(*, once: bool, fault: str, prometheus: bool, port: int | None) -> int:
    """Show a healthy rollout and one with `fault`; the exit code.

    With `once` it ends by itself within three minutes: 0 only if the healthy version was promoted
    and the bad one aborted (`none`: only the healthy one). Without, it goes on until Ctrl-C.
    `InputError` for an unknown fault, `ConfigError` when `prometheus` is asked for and not here,
    `ChildError` when a process of it does not start or goes away.
    """
    from api.demo.play import perform
    from api.demo.stage import Wishes

    return perform(Wishes.of(once=once, fault=fault, prometheus=prometheus, port=port))

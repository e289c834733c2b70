"""Where an incident goes: a tree of routes, read as Alertmanager reads its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from detector.alerts.brief import Gravity, IncidentBrief
from detector.alerts.matching import labels_of, suits
from detector.alerts.settings import Route

__all__ = ["Destination", "destinations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A receiver, and what holds for it; `team` is its name where the route names none."""

    receiver: str
    team: str
    quiet: str = ""
    escalation: str = ""


def destinations(route: Route, brief: IncidentBrief) -> tuple[Destination, ...]:
    """Who the tree says, each receiver once, in the order of the tree.

    Depth first: the first child that matches takes it, and with `carry_on` those after it are asked
    too; what no child takes is the node's own.
    """
    found = _walk(route, labels_of(brief), brief.services, brief.severity)
    firsts: dict[str, Destination] = {}
    for node in found or ():
        if node.receiver:
            one = Destination(
                receiver=node.receiver,
                team=node.team or node.receiver,
                quiet=node.quiet or "",
                escalation=node.escalation or "",
            )
            firsts.setdefault(one.receiver, one)
    return tuple(firsts.values())


def _walk(
    node: Route, labels: Mapping[str, str], services: tuple[str, ...], severity: Gravity
) -> list[Route] | None:
    """Nodes at which it ends; None where it does not match."""
    if severity.rank < node.severity.rank or not suits(node.matchers, labels, services):
        return None
    taken: list[Route] = []
    for child in _heirs(node):
        found = _walk(child, labels, services, severity)
        taken += found or ()
        if found is not None and not child.carry_on:
            break
    return taken or [node]


def _heirs(node: Route) -> Iterator[Route]:
    for child in node.routes:
        yield replace(
            child,
            receiver=node.receiver if child.receiver is None else child.receiver,
            team=node.team if child.team is None else child.team,
            quiet=node.quiet if child.quiet is None else child.quiet,
            escalation=node.escalation if child.escalation is None else child.escalation,
        )

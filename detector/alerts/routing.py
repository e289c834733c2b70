"""Where an incident goes: a tree of routes, read as Alertmanager reads its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from detector.alerts.brief import Gravity, IncidentBrief
from detector.alerts.matching import labels_of, suits
from detector.alerts.settings import Route

__all__ = ["Destination", "destinations", "receivers_by_team"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A receiver, and what holds for it; `team` is its name where the route names none.

    `route` names the rule by what it and those above it ask for; empty where all is taken.
    """

    receiver: str
    team: str
    quiet: str = ""
    escalation: str = ""
    route: str = ""


def destinations(route: Route, brief: IncidentBrief) -> tuple[Destination, ...]:
    """Who the tree says, each receiver once, in the order of the tree.

    Depth first: the first child that matches takes it, and with `carry_on` those after it are asked
    too; what no child takes is the node's own.
    """
    found = _walk(_Named(route), labels_of(brief), brief.services, brief.severity)
    firsts: dict[str, Destination] = {}
    for node, name in found or ():
        if node.receiver:
            one = Destination(
                receiver=node.receiver,
                team=node.team or node.receiver,
                quiet=node.quiet or "",
                escalation=node.escalation or "",
                route=name,
            )
            firsts.setdefault(one.receiver, one)
    return tuple(firsts.values())


def receivers_by_team(route: Route) -> dict[str, tuple[str, ...]]:
    """To whom the tree may lead for each team, in its order; escalations apart."""
    found: dict[str, dict[str, None]] = {}
    rest = [route]
    while rest:
        node = rest.pop()
        if node.receiver:
            found.setdefault(node.team or node.receiver, {})[node.receiver] = None
        rest += reversed(list(_heirs(node)))
    return {team: tuple(receivers) for team, receivers in found.items()}


class _Named(NamedTuple):
    """A node under the name of its rule."""

    node: Route
    name: str = ""


def _walk(
    at: _Named, labels: Mapping[str, str], services: tuple[str, ...], severity: Gravity
) -> list[_Named] | None:
    """Nodes at which it ends; None where it does not match."""
    node = at.node
    if severity.rank < node.severity.rank or not suits(node.matchers, labels, services):
        return None
    taken: list[_Named] = []
    for child in _heirs(node):
        found = _walk(_Named(child, _name(child, at.name)), labels, services, severity)
        taken += found or ()
        if found is not None and not child.carry_on:
            break
    return taken or [at]


def _name(node: Route, above: str) -> str:
    """What a node asks for, after what those above it did."""
    asked = [f'{one.label}{one.op.value}"{one.value}"' for one in node.matchers]
    if node.severity is not Gravity.LOW:
        asked.append(f"severity {node.severity.value} or worse")
    return " / ".join(part for part in (above, ", ".join(asked)) if part)


def _heirs(node: Route) -> Iterator[Route]:
    for child in node.routes:
        yield replace(
            child,
            receiver=node.receiver if child.receiver is None else child.receiver,
            team=node.team if child.team is None else child.team,
            quiet=node.quiet if child.quiet is None else child.quiet,
            escalation=node.escalation if child.escalation is None else child.escalation,
        )

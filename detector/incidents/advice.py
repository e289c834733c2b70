"""What to do where a change was the cause: the command of whoever made it, or a sentence."""

from __future__ import annotations

import re

from detector.changes.change import Change, ChangeKind

__all__ = ["advice_on"]

# Names that a shell takes as they are: what a sender wrote must not become another command.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_PARTS = 4


def advice_on(change: Change) -> str:
    """How to take it back.

    >>> from detector.changes.change import ChangeEvent, ChangePhase, Place, change_of
    >>> event = ChangeEvent(
    ...     source="/argo-rollouts/shop/checkout", id="1", subject="7", at=0,
    ...     kind=ChangeKind.DEPLOYMENT, phase=ChangePhase.SUCCEEDED, place=Place(),
    ... )
    >>> advice_on(change_of([event]))
    'kubectl argo rollouts undo checkout --namespace shop'
    """
    match change.kind:
        case ChangeKind.DEPLOYMENT:
            return _command(change) or f"Roll {_what(change)} back."
        case ChangeKind.FLAG:
            return f"Switch {change.title or 'the flag'} back."
        case ChangeKind.ROLLBACK:
            return "Roll forward to a version that is known to be good."
        case ChangeKind.SCALING | ChangeKind.NODE:
            return "Look at the capacity that is left."
    return f"Take {change.title or 'the change'} back."


def _what(change: Change) -> str:
    named = change.place.service or change.title or "it"
    return f"{named} {change.version}" if change.version else named


def _command(change: Change) -> str:
    """Of a sender whose source names an object: `/sender/…/namespace/name`."""
    parts = [part for part in change.source.split("/") if part]
    if not 3 <= len(parts) <= _PARTS or not all(_NAME.fullmatch(part) for part in parts):
        return ""
    *head, namespace, name = parts
    match head:
        case ["argo-rollouts"]:
            return f"kubectl argo rollouts undo {name} --namespace {namespace}"
        case ["argo-cd"]:
            return f"argocd app rollback {name} --app-namespace {namespace}"
        case ["helm"] | ["flux", "helmrelease"]:
            return f"helm rollback {name} --namespace {namespace}"
        case ["kubernetes", "deployment" | "statefulset" | "daemonset" as kind]:
            return f"kubectl rollout undo {kind}/{name} --namespace {namespace}"
    return ""

"""What a span is called: its operation and the other end, by the semantic conventions.

https://opentelemetry.io/docs/specs/semconv/general/trace/: HTTP, RPC, databases, messaging. Where
these tell nothing it is the name of the span, with what differs from one request to the next left
out of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from detector.spans.columns import NOBODY, Peer, PeerKind, SpanKind
from detector.spans.masking import is_address, masked, printable

__all__ = ["Told", "operation_of", "peer_of"]

_UNNAMED = "unnamed"
_QUOTES = str.maketrans("", "", "\"`[]'")
_CALLING = frozenset({SpanKind.CLIENT, SpanKind.PRODUCER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What attributes of a span tell of the call that it measures, empty where they do not."""

    kind: SpanKind
    name: str = ""
    method: str = ""
    route: str = ""
    template: str = ""
    rpc_system: str = ""
    rpc_service: str = ""
    rpc_method: str = ""
    db_system: str = ""
    db_summary: str = ""
    db_operation: str = ""
    db_collection: str = ""
    db_namespace: str = ""
    messaging_system: str = ""
    destination: str = ""
    messaging_operation: str = ""
    peer: str = ""
    address: str = ""


def operation_of(told: Told) -> str:
    """The name of the operation: `GET /orders/{id}`, `SELECT orders`, `publish invoices`.

    >>> operation_of(Told(kind=SpanKind.SERVER, method="GET", route="/orders/{id}"))
    'GET /orders/{id}'
    >>> operation_of(Told(kind=SpanKind.INTERNAL, name="load user 4711"))
    'load user <num>'
    """
    return (
        _by_database(told)
        or _by_messaging(told)
        or _by_rpc(told)
        or _by_http(told)
        or masked(told.name)
        or _UNNAMED
    )


def peer_of(told: Told) -> Peer:
    """The other end of a call, as far as this end knows it; `NOBODY` for who calls nobody."""
    if told.destination and told.kind in _CALLING | {SpanKind.CONSUMER}:
        name = _joined(printable(told.messaging_system), masked(told.destination), ":")
        return Peer(kind=PeerKind.MESSAGING, name=name)
    if told.kind not in _CALLING:
        return NOBODY
    if told.db_system:
        name = _joined(printable(told.db_system), masked(told.db_namespace), ":")
        return Peer(kind=PeerKind.DATABASE, name=name)
    name = printable(told.peer) or printable(told.address)
    return NOBODY if is_address(name) else Peer(kind=PeerKind.SERVICE, name=name)


def _by_database(told: Told) -> str:
    """`SELECT orders`: a summary, or operation and target; what follows FROM has no values."""
    if not told.db_system:
        return ""
    if told.db_summary:
        return masked(told.db_summary)
    if not told.db_operation:
        return ""
    verb = printable(told.db_operation).upper()
    return _joined(verb, masked(told.db_collection.translate(_QUOTES)), " ")


def _by_messaging(told: Told) -> str:
    if not (told.destination and told.messaging_operation):
        return ""
    return _joined(printable(told.messaging_operation), masked(told.destination), " ")


def _by_rpc(told: Told) -> str:
    """`shop.Cart/AddItem`: newer writers put the service into the method."""
    method = printable(told.rpc_method).lstrip("/")
    if not method or "/" in method:
        return method
    return _joined(printable(told.rpc_service), method, "/")


def _by_http(told: Told) -> str:
    """A route or a template has no values in it; without one the name of the span stands in."""
    path = printable(told.route) or printable(told.template)
    return _joined(printable(told.method), path, " ") if told.method and path else ""


def _joined(first: str, second: str, between: str) -> str:
    return f"{first}{between}{second}" if first and second else first or second

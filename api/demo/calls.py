"""Whom a page of the demo shop asks on its way, and for which part of its time."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CALLS", "DATABASE", "PAGES", "Call"]

# How long each page takes, in times of the usual.
PAGES = {"/checkout": 1.0, "/cart": 0.7, "/orders": 1.25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Somebody who is asked for `share` of a request's time; `of` are attributes of its span.

    `name` is that of the span, as OpenTelemetry's conventions form it.
    """

    name: str
    share: float
    of: tuple[tuple[str, str], ...]


DATABASE = Call(
    name="SELECT orders",
    share=0.3,
    of=(
        ("db.system.name", "postgresql"),
        ("db.namespace", "shop"),
        ("db.operation.name", "SELECT"),
        ("db.collection.name", "orders"),
    ),
)


def _http(method: str, template: str, service: str, share: float) -> Call:
    return Call(
        name=f"{method} {template}",
        share=share,
        of=(
            ("http.request.method", method),
            ("url.template", template),
            ("server.address", service),
            ("peer.service", service),
        ),
    )


_STOCK = _http("GET", "/stock/{item}", "inventory", 0.2)
_CHARGE = _http("POST", "/charges", "payments", 0.35)
# What is left of a request's time is the shop's own.
CALLS = {
    "/cart": (DATABASE, _STOCK),
    "/checkout": (DATABASE, _STOCK, _CHARGE),
    "/orders": (DATABASE, _CHARGE),
}

"""The receipts of the demo shop, with the mistake that `--fault logs` rolls out."""

from __future__ import annotations

import logging
from collections.abc import Mapping

__all__ = ["send_receipt"]


def send_receipt(log: logging.Logger, order: int, customer: Mapping[str, str]) -> None:
    """Send it beside the answer: what goes wrong here, the customer does not see."""
    try:
        address = customer["email"]
        log.debug("receipt for order %d goes to %s", order, address)
    except KeyError:
        log.exception("receipt for order %d not sent", order)

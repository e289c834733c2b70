"""Doors for metrics: bytes of a sender in, columns of interned series out."""

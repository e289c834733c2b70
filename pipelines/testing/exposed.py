"""Label sets out of the text of a scrape."""

from __future__ import annotations

from pipelines.sources.exposition import parse_exposition, parse_series

__all__ = ["exposition"]


def exposition(text: str) -> tuple[dict[str, str], ...]:
    """Label sets (with `__name__`) of the series in a scrape, in order, values left out."""
    return tuple(parse_series(sample.series) for sample in parse_exposition(text))

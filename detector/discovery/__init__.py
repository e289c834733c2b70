"""Discovery: from what a metric source holds to the plan of one service, without configuration."""

from detector.discovery.discover import discover

__all__ = ["discover"]

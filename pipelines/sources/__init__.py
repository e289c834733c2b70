"""Metric sources: adapters that implement `MetricSource` and `MetricCatalog`."""

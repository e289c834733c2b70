"""Service level objectives from files, their counts from a source, and rules for Prometheus."""

"""Mappings that are shipped for the doors: attributes of OTLP, labels of Loki's streams."""

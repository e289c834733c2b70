"""Anomalies that have one cause become one incident, with the changes that may be it."""

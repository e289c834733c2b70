"""Capacity: when each resource runs out, how sure that is, and what should be done by when."""

"""Adapters and flows: sources, stores, and the functions that join them to the domain."""

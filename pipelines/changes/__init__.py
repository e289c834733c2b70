"""Senders of changes: what each posts, read into events by a mapping of its own."""

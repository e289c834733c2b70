"""Logs: lines as columns, what they are counted by, and what is odd about them."""

"""Traces as arrays: counted once, paired, chosen from, and taken apart by where time went."""

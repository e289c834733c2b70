"""Verdicts told to people: why, why not earlier, what would cure it, and what a week held."""

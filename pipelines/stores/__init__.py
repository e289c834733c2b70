"""Stores: where attempts, verdicts, samples and people's decisions are kept."""

"""Traces: spans as columns, what they are counted by, who calls whom, and where time goes."""

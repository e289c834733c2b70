"""Flows: ports wired to the domain; the gate is the first."""

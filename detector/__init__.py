"""The domain, pure: signals, rollouts, verdicts; ports as Protocols; no I/O, no clock."""

"""Log lines that are pushed or pulled: bytes of OTLP and of Loki to columns."""

"""Syslog, taken over TCP, TLS and UDP."""

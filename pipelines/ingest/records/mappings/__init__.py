"""Mappings that are shipped: where shippers and loggers put level, service, pod and the rest."""

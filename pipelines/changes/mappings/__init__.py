"""Mappings of changes that this version ships, one file a sender."""

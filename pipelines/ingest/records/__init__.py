"""Records of logs: what shippers and loggers write, read by mappings of their fields."""

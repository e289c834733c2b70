"""What a series usually does: level, season and spread, a fixed number of bytes for each series."""

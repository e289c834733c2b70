"""Bodies: what comes in and goes out as JSON, with a word for each field."""

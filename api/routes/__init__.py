"""Routes: paths and statuses; what they mean is decided below."""

"""Log files that are followed: over rotations, truncations and restarts."""

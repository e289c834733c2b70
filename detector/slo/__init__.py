"""Service level objectives: what is promised, what is left of it, and how fast it burns."""

"""Reports that people are given: when they are due, where they are kept, and how two differ."""

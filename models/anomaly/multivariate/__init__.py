"""Several metrics of one thing looked at together, row by row: who is odd, and by what metric."""

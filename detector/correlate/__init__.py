"""What is odd at the same time, and where it came from."""

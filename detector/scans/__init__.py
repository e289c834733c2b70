"""What security scanners found in a revision."""

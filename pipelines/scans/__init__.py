"""Reports of security scanners, read into what is kept of them."""

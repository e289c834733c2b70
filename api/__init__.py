"""The edge: HTTP, command line, web pages and the controllers' dialects."""

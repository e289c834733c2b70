"""Capacity reports as people get them: a page, a PDF, a table, a picture, lines in a terminal."""

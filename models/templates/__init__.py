"""Log lines to templates: what stays the same in lines of a kind, and what differs."""

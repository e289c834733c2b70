"""From what a source measured to resources that can run out: by capacity packs, and by hand."""

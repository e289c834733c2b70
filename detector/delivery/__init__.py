"""How software is delivered: how often, how fast, how often it fails, how soon that is mended."""

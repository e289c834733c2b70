"""The maths, pure: arrays in, arrays out; no domain noun, no I/O, no clock."""

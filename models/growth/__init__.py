"""How a level goes on over weeks and months: futures by day, and when they pass a bound."""

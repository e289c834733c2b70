"""How odd it is, and who of many interdependent ones began: numbers and arrays only."""

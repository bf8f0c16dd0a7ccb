"""The rules of cross-entropy games. Standard library only: no I/O, no clock, no global randomness."""

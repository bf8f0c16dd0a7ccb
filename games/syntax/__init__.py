"""A source before it is compiled: lines, signs, and the names that are no functions."""

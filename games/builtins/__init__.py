"""The built-in functions: the table of what each takes and gives, and what computes it."""

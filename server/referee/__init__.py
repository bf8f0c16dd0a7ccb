"""Turns results into rows, and finds what was lost."""

"""Tournaments: players × games × passages × repeats, each with a budget, and a report."""

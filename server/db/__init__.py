"""Rows: the tables, transactions, migrations."""

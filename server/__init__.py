"""The host: accounts, rounds, queue, boards."""

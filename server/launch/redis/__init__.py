"""The Redis that `serve` brings along: found, started, cleared away."""

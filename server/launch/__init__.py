"""`xentarena serve` and what it starts: processes, Redis, folders, addresses."""

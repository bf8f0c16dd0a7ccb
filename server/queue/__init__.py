"""Redis: the only room that knows its names and formats."""

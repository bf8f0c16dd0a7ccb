"""One play while it is replayed: its state, its draws, and what a judge wrote for its round."""

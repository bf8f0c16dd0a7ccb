"""Training a judge of one's own: `python -m judge.training`."""

"""A scored submission as a picture to share: what is on it, how its text is set, how it is drawn."""

"""Judges that come from the package index: which there are, how they are fetched, and the plain folders they become."""

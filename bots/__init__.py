"""Players that are programs. They speak HTTP only."""

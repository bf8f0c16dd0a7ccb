"""HTML for people, over the same use cases as the API: pages.py for players, host.py for whoever runs a competition."""

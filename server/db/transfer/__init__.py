"""All rows of a server as one file, and such a file as the rows of a new server."""

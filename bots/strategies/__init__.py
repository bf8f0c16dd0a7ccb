"""Ways to play that come with the package, one file each; registered in pyproject.toml like anybody else's."""

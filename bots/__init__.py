"""Players that are programs: a loop that plays the rounds of a server, and strategies that it can be given."""

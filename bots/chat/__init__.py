"""Players that are language models: what they are asked and through whom, and what is made of their answers."""

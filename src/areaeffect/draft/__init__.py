"""A first study from a table and a list of areas: what was guessed, and the file that says it."""

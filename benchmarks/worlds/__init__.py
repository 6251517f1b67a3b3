"""Worlds in which the truth is known, and what the evaluation says of them."""

"""Composite indices: scores, ranks, and what each choice does to them."""

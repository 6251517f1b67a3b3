"""The falsification set: one module a check, one line each in `registry`."""

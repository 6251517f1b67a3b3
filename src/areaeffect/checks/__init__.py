"""Trying to break a finding: one file a check, one line each in `registry`."""

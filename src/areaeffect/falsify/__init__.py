"""Trying to break a finding."""

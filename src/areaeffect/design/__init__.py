"""Choosing benchmark areas. Nothing here sees an outcome at or after the start it designs for."""

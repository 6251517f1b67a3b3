"""Fetching the third-party files of the web app."""

"""Published releases: what is known of each, how it is had, and how its file is read."""

"""From a plan to findings: who is designed for, what was estimated, and what may be said of it."""

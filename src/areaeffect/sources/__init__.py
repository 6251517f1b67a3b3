"""Sources: one module a publisher; none imports another."""

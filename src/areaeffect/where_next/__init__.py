"""Places that are not in the register, ranked."""

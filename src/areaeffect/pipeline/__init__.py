"""One file a command; only these modules know the packages."""

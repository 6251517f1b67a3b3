"""The pages and their addresses, a module a feature: each has its `ROUTES`."""

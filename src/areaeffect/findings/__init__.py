"""From a plan to findings: the places studied, the estimates, and what may be said of them."""

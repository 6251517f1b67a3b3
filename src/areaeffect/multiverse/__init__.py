"""Every defensible choice of the design at once, with one joint placebo test."""

"""From weights to effects: arrays in, results out."""

"""Placebo programmes: programmes that were never done, designed like the real one."""

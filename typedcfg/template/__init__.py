"""Declare: what a section is, what its fields mean, and how they read in a shell."""

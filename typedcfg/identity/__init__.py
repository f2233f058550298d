"""Identify: the canonical text of a configuration, its fingerprint, and the version of the code."""

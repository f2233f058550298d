"""Configurations as texts: the plain values, the documents that read back, the code that builds them again."""

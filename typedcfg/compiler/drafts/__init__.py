"""Drafts: configurations that may change until they are locked."""

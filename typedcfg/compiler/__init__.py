"""Compile: merge, shape, resolve, validate, freeze; and explain what was done."""

"""Gather: every place that values come from, read into layers of settings with their origins."""

"""Run: a compiled configuration, trained by Lightning in a folder of its own."""

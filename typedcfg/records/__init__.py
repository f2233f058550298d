"""Record: what a run leaves on disk, and the one module that writes it."""

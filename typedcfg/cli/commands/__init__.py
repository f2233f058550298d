"""One module for each verb; each has `run(context) -> exit code`."""

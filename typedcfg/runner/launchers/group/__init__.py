"""A group: processes that are started each on its own, one for each node or rank, and make one attempt together."""

"""Training with every weight in parts, one on each rank: how it is split, saved and brought back.

Other stages use `ShardedStrategy` alone, and `read_state` to read what it saved.
"""

"""Training with every weight in parts, one on each rank: how it is split, saved and brought back.

Other stages use `ShardedStrategy` alone, and `read_tensors` of `shards` to read what it saved.
"""

"""Launch: start the workers of a run, in this process, on this machine, on a cluster; wait for them."""

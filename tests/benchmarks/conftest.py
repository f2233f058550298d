"""The benchmarks import one another as a script does; what pytest runs of them is `test_run.py`."""

collect_ignore_glob = ["[!t]*.py"]

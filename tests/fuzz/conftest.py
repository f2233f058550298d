"""The fuzz tests share what they draw from, `soup.py`, and what they watch for, `attempts.py`."""

collect_ignore_glob = ["[!t]*.py"]

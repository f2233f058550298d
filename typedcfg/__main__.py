"""`python -m typedcfg` is the `typedcfg` command."""

from typedcfg.cli.main import entry_point

if __name__ == "__main__":
    entry_point()

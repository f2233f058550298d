"""Prints the commands that README.md gives a newcomer: each line of its `sh` blocks."""

import re
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def commands(text: str) -> list[str]:
    """The commands in the `sh` blocks of a Markdown text, one for each line."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


if __name__ == "__main__":
    found = commands(README.read_text())
    if len(found) < 2:
        raise SystemExit("README.md gives fewer than the two commands it promises")
    print("\n".join(found))

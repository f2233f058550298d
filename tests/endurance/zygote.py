"""A process that has imported all that takes long, and becomes one run after another by forking.

It reads a line for each: the run's folder, and the words of the command. It answers with the number of the process.
"""

import json
import os
import sys
from pathlib import Path

import lightning.pytorch
import torch

from typedcfg.cli.main import call


def main() -> None:
    """Fork a process for each line; whoever asked waits for it by the file that it leaves."""
    print(lightning.pytorch.__name__, "is there, for every child", file=sys.stderr)
    torch.set_num_threads(1)
    for line in sys.stdin:
        folder, words = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(folder, words)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)


def _become(folder: str, words: list[str]) -> None:
    os.setsid()
    os.chdir(folder)
    printed = os.open("printed.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    code = 1
    try:
        code = call(words)
        Path("ended.new").write_text(str(code))
        Path("ended.new").rename("ended")
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()

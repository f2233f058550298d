"""`typedcfg complete line | words`: what the scripts of the shells ask; the command line comes on standard input."""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress

from typedcfg.cli.completion.candidate import Candidate
from typedcfg.cli.completion.line import replacement, split
from typedcfg.cli.completion.words import complete
from typedcfg.cli.context import Context
from typedcfg.errors import TypedcfgError


def run(context: Context) -> int:
    """Print a candidate to a line; with words, what it is follows behind a tab.

    `line` is one text up to the cursor, as bash has it; `words` are ended by NUL, the program's name first, the word
    that is being typed last.
    """
    if context.word("line or words") == "line":
        line = split(sys.stdin.read().removesuffix("\n"), os.environ.get("COMP_WORDBREAKS", ""))
        found = [replacement(candidate.text, line) for candidate in _candidates(line.words[1:])]
    else:
        words = sys.stdin.read().split("\0")[1:-1]
        found = [f"{candidate.text}\t{candidate.about}" for candidate in _candidates(words)]
    sys.stdout.writelines(f"{text}\n" for text in found)
    return 0


def _candidates(words: list[str]) -> list[Candidate]:
    """None where something is wrong with the line: that is told by the command itself, once it is carried out."""
    nowhere = io.StringIO()  # what an APP prints while it is imported is no candidate
    found: list[Candidate] = []
    with redirect_stdout(nowhere), redirect_stderr(nowhere), suppress(TypedcfgError, OSError):
        found = complete(words) if words else []
    return found

"""What a shell may put in the place of the word that is being typed."""

from typing import NamedTuple


class Candidate(NamedTuple):
    """A whole word; one that ends with `.`, `=`, `:` or `/` goes on."""

    text: str
    about: str = ""
    """What it is, in a few words, for shells that show it."""

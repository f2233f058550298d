"""A command line as bash has it: one text, of which bash replaces only what stands behind its last `=` or `:`."""

import re
from typing import Final, NamedTuple

_PART: Final = re.compile(
    r"""
    (?P<space> \s+ )
    | \\ (?P<escaped> . )
    | ' (?P<single> [^']* ) (?P<end> ' | \Z )
    | " (?P<double> (?: [^"\\] | \\. )* ) (?P<close> " | \\? \Z )
    | (?P<plain> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SPECIAL: Final = re.compile(r"([^\w./:=@%+,~^-])", re.ASCII)
"""What a shell would not take as it is."""


class Line(NamedTuple):
    """The words of a line up to the cursor, as the shell would read them."""

    words: list[str]
    """The last is being typed; it is empty behind a space."""
    quote: str
    """The quote that is open at the cursor; empty if none is."""
    kept: str
    """What of the last word bash leaves as it is: all up to a quote that is open, or else to the last `=` or `:`."""


def split(text: str, breaks: str) -> Line:
    """A line in words.

    Args:
        text: The line up to the cursor.
        breaks: At which characters bash begins to replace, beside spaces and quotes: `COMP_WORDBREAKS`.

    Example:
        >>> split("typedcfg run app.py:App 'layers[0].width=6", "=:")
        Line(words=['typedcfg', 'run', 'app.py:App', 'layers[0].width=6'], quote="'", kept='')
        >>> split("typedcfg run app.py:App optimizer=s", "=:").kept
        'optimizer='
    """
    words = [""]
    quote = kept = ""
    for part in _PART.finditer(text):
        quote = ""
        if part["space"] is not None:
            words.append("")
            kept = ""
        elif part["single"] is not None:
            quote, kept = ("", kept) if part["end"] else ("'", words[-1])
            words[-1] += part["single"]
        elif part["double"] is not None:
            quote, kept = ("", kept) if part["close"] == '"' else ('"', words[-1])
            words[-1] += re.sub(r'\\(["\\$`])', r"\1", part["double"])
        else:
            words[-1] += part["plain"] or part["escaped"]
            if part["plain"] and part["plain"] in breaks:
                kept = words[-1]
    return Line(words, quote, kept)


def replacement(candidate: str, line: Line) -> str:
    r"""What bash has to put in the place of what it replaces, so that the shell reads the candidate.

    Example:
        >>> replacement("layers[0].width=64", split("typedcfg run app.py:App layers[0].wi", "=:"))
        'layers\\[0\\].width=64'
    """
    rest = candidate.removeprefix(line.kept)
    if line.quote:
        return rest if line.quote == "'" else re.sub(r'(["\\$`])', r"\\\1", rest)
    return _SPECIAL.sub(r"\\\1", rest)

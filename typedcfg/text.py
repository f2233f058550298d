"""Text for people: suggestions, shortened values, lists of choices."""

from collections.abc import Iterable
from typing import Final

_SHOWN_LENGTH: Final = 60
NO_SWEEPS: Final = (
    "one command is one configuration: for several, loop in the shell: for n in 32 64; do ... key=$n; done"
)
"""What to do about the sweeps of other tools."""


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known word most like this one, or None if none is close: if a smaller part than `cutoff` is the same.

    Example:
        >>> nearest("lrr", ["lr", "momentum"])
        'lr'
    """
    from difflib import get_close_matches

    choices = list(known)
    folded = {choice.lower(): choice for choice in reversed(choices)}
    found = get_close_matches(word.lower(), folded, n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def shorten(text: str, length: int = _SHOWN_LENGTH) -> str:
    """The text on one line, its middle left out where it is longer than `length` characters.

    Example:
        >>> shorten("abcdefghijklmnop", 9)
        'abcd…mnop'
    """
    flat = " ".join(text.split())
    if len(flat) <= length:
        return flat
    kept = (length - 1) // 2
    return f"{flat[: length - 1 - kept]}…{flat[-kept:]}"


def printable(text: str) -> str:
    r"""The text with escapes for what would not be seen, or would move the cursor; newlines stay.

    Example:
        >>> printable("a\x1b[2Jb")
        'a\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    escaped = (one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode() for one in text)
    return "".join(escaped)


def spaced(text: str) -> str:
    """What to do about a text that was meant as a key and its value; empty if it looks like nothing of the kind.

    The value is left out: it may be a secret's.

    Example:
        >>> spaced("batch_size:3")
        'write a space after the colon: batch_size: ...'
    """
    key, colon, value = text.partition(":")
    is_pair = colon and key.isidentifier() and value and not value.startswith(("/", "\\", " "))
    return f"write a space after the colon: {shorten(key)}: ..." if is_pair else ""


def placeholder(value: object) -> str:
    """What to do about the `???` that other tools write for a value that is still to come."""
    return "leave it out: a field without a default is required anyway" if value == "???" else ""


def one_of(choices: Iterable[object]) -> str:
    """Choices as a sentence lists them.

    Example:
        >>> one_of(["adamw", "sgd"])
        'adamw or sgd'
    """
    words = [str(choice) for choice in choices]
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def listed(words: Iterable[str], length: int = 80) -> str:
    """Words with commas between, whole ones up to about `length` characters, and how many more there are.

    Example:
        >>> listed(["lr", "momentum", "weight_decay"], 15)
        'lr, momentum and 1 more'
    """
    all_words = list(words)
    kept = all_words[:1]
    while len(kept) < len(all_words) and len(", ".join(kept)) + len(all_words[len(kept)]) < length:
        kept.append(all_words[len(kept)])
    left = len(all_words) - len(kept)
    return ", ".join(kept) + (f" and {left} more" if left else "")


def an(noun: str) -> str:
    """A noun with its article; of a type's name the first letter tells.

    Example:
        >>> an("list"), an("int"), an("UUID")
        ('a list', 'an int', 'a UUID')
    """
    return f"{'an' if noun[:1].lower() in set('aeio') else 'a'} {noun}"


def count(number: int, noun: str) -> str:
    """A number with its noun.

    Example:
        >>> count(1, "problem"), count(3, "problem")
        ('1 problem', '3 problems')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

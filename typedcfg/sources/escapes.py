"""How a document says what would otherwise mean something: `${` within a text, `$` before a key."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from typedcfg.sources.base import INSTRUCTION_MARK, REFERENCE_MARK


class Instruction(str):
    """A `$` key that is to be written as it is; every other key is a user's own.

    It equals no plain text: a user's own `$replace` may stand beside it in one mapping.

    Example:
        >>> written({Instruction("$replace"): True, "$replace": "${lr}"})
        {'$replace': True, '$$replace': '$${lr}'}
    """

    __slots__ = ()

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instruction) and str.__eq__(self, other)

    @override
    def __ne__(self, other: object) -> bool:
        return not self == other

    @override
    def __hash__(self) -> int:
        return hash((Instruction, str(self)))


def literal(value: Any) -> Any:
    """A value of which no text is taken for a reference or an expression, wherever settings are given in Python.

    In overrides, in presets, in what is merged and in what a draft is assigned, `${...}` means what it means in a file.
    What was read from a configuration, `config.plain()` as a whole or a text of it, is passed through this.

    Args:
        value: A text, or lists, tuples and mappings with texts in them.

    Example:
        >>> literal({"pattern": "${lr}", "steps": [1, 2]})
        {'pattern': '$${lr}', 'steps': [1, 2]}
    """
    if type(value) is str:
        return written_text(value)
    if isinstance(value, Mapping):
        return {key: literal(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return getattr(type(value), "_make", tuple)(map(literal, value))
    return [literal(item) for item in value] if isinstance(value, list) else value


def written(value: object) -> object:
    """A plain tree as a document says it: nothing in it is taken for a reference or an instruction."""
    if isinstance(value, str):
        return written_text(value)
    if isinstance(value, Mapping):
        return {written_key(key): written(item) for key, item in value.items()}
    return [written(item) for item in value] if isinstance(value, (list, tuple)) else value


def written_text(text: str) -> str:
    """A text that comes back as it is."""
    return str.__str__(text).replace(REFERENCE_MARK, f"${REFERENCE_MARK}")


def written_key(key: str) -> str:
    """A key that comes back as it is, or an instruction."""
    is_own = key.startswith(INSTRUCTION_MARK) and not isinstance(key, Instruction)
    return f"{INSTRUCTION_MARK}{key}" if is_own else str(key)

"""A type in words of one's own, where a pattern would be all that could be said of it."""

from typing import NamedTuple


class Words(NamedTuple):
    """What help and errors call a type: `Annotated[str, StringConstraints(pattern=...), Words("a name of letters")]`.

    The pattern stays what is checked, and what a JSON Schema says. It may stand in any part of a field's type.
    """

    text: str

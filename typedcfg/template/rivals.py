"""Fields of a section of which one alone may say something."""

from typing import Final


class Rivals(ValueError):
    """Raised by a section's validator where several such fields do; told with where each of them is said.

    Example:
        >>> print(Rivals(["max_epochs", "max_steps"], "each end the training"))
        max_epochs and max_steps each end the training: set all but one to null
    """

    def __init__(self, fields: list[str], why: str) -> None:
        """Name the fields, and say what is wrong with their being together."""
        *others, last = fields
        super().__init__(f"{', '.join(others)} and {last} {why}: set all but one to null")
        self.fields: Final = tuple(fields)

"""Help: what may be written in a section, for a shell, a page or a program."""

from shutil import get_terminal_size
from typing import TYPE_CHECKING, Final, Literal

from typedcfg.template.help_tree import SectionHelp, find_fields

if TYPE_CHECKING:
    from typedcfg.template.base import ConfigTemplate

_WIDEST: Final = 110
"""Longer lines are hard to follow, however wide the terminal."""


def render_help(
    template: type["ConfigTemplate"],
    *,
    format: Literal["text", "json", "markdown"] = "text",  # noqa: A002  # the word users know
    key: str = "",
    width: int | None = None,
) -> str:
    """What may be written in a section, or at a key of it.

    Args:
        template: The section.
        format: `text` for a shell, `markdown` for a page, `json` for a program.
        key: A key path to narrow to: a section, or one field.
        width: How many columns a line of text may take; those of the terminal if not given.

    Raises:
        MissingKey: There is no such key.

    Example:
        >>> from pydantic import Field
        >>> from typedcfg import ConfigTemplate
        >>> class Loader(ConfigTemplate):
        ...     batch_size: int = Field(128, gt=0, description="Samples per step and rank.")
        >>> print(render_help(Loader, width=60), end="")
        Loader
        <BLANKLINE>
          batch_size  integer > 0  default 128
                      Samples per step and rank.
    """
    fields = find_fields(template, key) if key else ()
    if format == "json":
        from typedcfg.template.help_json import fields_json, section_json

        return fields_json(template, key, fields) if key else section_json(SectionHelp("", template))
    if format == "markdown":
        from typedcfg.template.help_markdown import fields_markdown, section_markdown

        return fields_markdown(fields) if key else section_markdown(SectionHelp("", template))
    from typedcfg.template.help_text import fields_text, section_text

    columns = width or min(get_terminal_size().columns, _WIDEST)
    return fields_text(fields, columns) if key else section_text(SectionHelp("", template), columns)

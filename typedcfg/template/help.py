"""Help: what may be written in a section, for a shell, a page or a program."""

from shutil import get_terminal_size
from typing import TYPE_CHECKING, Final, Literal

from typedcfg.template.help_ink import NO_INK, Ink
from typedcfg.template.help_tree import Known, SectionHelp, find_fields

if TYPE_CHECKING:
    from typedcfg.template.base import ConfigTemplate

_WIDEST: Final = 110
"""Longer lines are hard to follow, however wide the terminal."""


def help_of(
    template: type["ConfigTemplate"],
    *,
    format: Literal["text", "json", "markdown"],  # noqa: A002  # the word users know
    key: str,
    env_prefix: str,
) -> str:
    """What `ConfigTemplate.help` does."""
    return render_help(template, format=format, key=key, known=Known(env_prefix))


def render_help(  # noqa: PLR0913  # what may be said of a template in many ways
    template: type["ConfigTemplate"],
    *,
    format: Literal["text", "json", "markdown"] = "text",  # noqa: A002  # the word users know
    key: str = "",
    width: int | None = None,
    known: Known = Known(),  # noqa: B008  # it never changes
    ink: Ink = NO_INK,
) -> str:
    """What may be written in a section, or at a key of it.

    Args:
        template: The section.
        format: `text` for a shell, `markdown` for a page, `json` for a program.
        key: A key path to narrow to: a section, or one field.
        width: How many columns a line of text may take; those of the terminal if not given.
        known: The variables that set values, and the values that a configuration has.
        ink: How parts of a text are set off from one another; not at all if not given.

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
    section = SectionHelp("", template, known=known)
    fields = find_fields(section, key) if key else ()
    if format == "json":
        from typedcfg.template.help_json import fields_json, section_json

        return fields_json(template, key, fields) if key else section_json(section)
    if format == "markdown":
        from typedcfg.template.help_markdown import fields_markdown, section_markdown

        return fields_markdown(fields) if key else section_markdown(section)
    from typedcfg.template.help_text import HelpText

    text = HelpText(width or min(get_terminal_size().columns, _WIDEST), ink)
    if not key:
        return text.section(section)
    if all(field.entry.is_leaf for field in fields):
        from typedcfg.template.help_key import about_fields

        return about_fields(section, fields, text)
    return text.fields(fields)

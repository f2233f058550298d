"""`typedcfg help APP [KEY]`: what may be configured."""

from typing import Final, Literal, TypeAlias

from typedcfg.cli.context import Context

Format: TypeAlias = Literal["text", "json", "markdown"]

_FORMATS: Final[tuple[Format, ...]] = ("text", "json", "markdown")


def run(context: Context) -> int:
    """Print the help of a template, or of what lies below one key."""
    app = context.app()
    key = context.word("KEY") if context.has_more() else ""
    context.finish()
    form = context.choice("--format", _FORMATS)
    print(app.template.help(format=form, key=key))
    return 0

"""`typedcfg help APP [KEY]`: what may be configured."""

from typing import Final, Literal, TypeAlias

from typedcfg.cli.context import Context, default_prefix
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.keys import declared_keys

Format: TypeAlias = Literal["text", "json", "markdown"]

_FORMATS: Final[tuple[Format, ...]] = ("text", "json", "markdown")


def run(context: Context) -> int:
    """Print the help of a template, or of what lies below one key."""
    app = context.app()
    key = context.word("KEY") if context.has_more() else ""
    context.finish()
    form = context.choice("--format", _FORMATS)
    print(app.template.help(format=form, key=key))
    if form == "text" and not key and (example := _variable(app.template)):
        print(f"\nvariables: {example}")
    return 0


def _variable(template: type[ConfigTemplate]) -> str:
    """How one value is set by a variable; of what the class declares itself, if it does, rather than inherits."""
    keys = [found.key for found in declared_keys(template) if "[" not in found.key]
    own = (key for key in keys if key.partition(".")[0] in template.__annotations__)
    key = next(own, next(iter(keys), None))
    return f"{default_prefix(template)}{key.replace('.', '__').upper()} sets {key}" if key else ""

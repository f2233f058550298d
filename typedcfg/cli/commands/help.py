"""`typedcfg help APP [KEY]`: what may be configured."""

from typedcfg.cli.context import Context


def run(context: Context) -> int:
    """Print the help of a template, or of what lies below one key."""
    context.read_options({"--format": "text|json|markdown"})
    app = context.app()
    key = context.word("KEY") if context.has_more() else ""
    context.finish()
    form = context.choice("--format", ("text", "json", "markdown"))
    print(app.template.help(format=form, key=key))
    return 0

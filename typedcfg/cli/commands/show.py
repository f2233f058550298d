"""`typedcfg show APP ...`: the values, and where each came from."""

from typedcfg.cli.context import Context
from typedcfg.compiler.writing.document import to_json, to_toml


def run(context: Context) -> int:
    """Print the compiled configuration as a document that gives it back: YAML, with origins or plain, JSON or TOML."""
    form = context.choice("--format")
    config = context.compile(context.app().template)
    if form == "json":
        text = to_json(config.params)
    elif form == "toml":
        text = to_toml(config.params)
    else:
        text = config.to_yaml(origins=form == "origins")
    print(text, end="")
    return 0

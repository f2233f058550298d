"""`typedcfg show APP ...`: the values, and where each came from."""

from typedcfg.cli.context import Context


def run(context: Context) -> int:
    """Print the compiled configuration as YAML with origins, as plain YAML, or as JSON."""
    form = context.choice("--format")
    config = context.compile(context.app().template)
    if form == "json":
        import json

        print(json.dumps(config.plain(), indent=2, ensure_ascii=False))
    else:
        print(config.to_yaml(origins=form == "origins"), end="")
    return 0

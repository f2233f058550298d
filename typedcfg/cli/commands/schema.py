"""`typedcfg schema APP [KEY]`: what may be written in a file, as JSON Schema."""

import json

from typedcfg.cli.context import Context


def run(context: Context) -> int:
    """Print the schema of a whole configuration's files, or of a part that is mounted at a key."""
    app = context.app()
    key = context.word("KEY") if context.has_more() else ""
    context.finish()
    print(json.dumps(app.template.json_schema(key), indent=2, ensure_ascii=False))
    return 0

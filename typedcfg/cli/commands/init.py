"""`typedcfg init APP [FILE]`: a file to start from, and the schema by which editors complete it."""

import json
from pathlib import Path
from typing import Final

from typedcfg.cli.context import Context, UsageError, default_prefix
from typedcfg.cli.starter import starter
from typedcfg.cli.target import check_target
from typedcfg.errors import Problem
from typedcfg.storage import write_atomically
from typedcfg.text import one_of

_SUFFIXES: Final = (".yaml", ".yml")


def run(context: Context) -> int:
    """Write both beside each other; the schema anew each time, the file only where none is yet."""
    template = context.app().template
    name = default_prefix(template).removesuffix("__").lower()
    file = Path(context.word("FILE") if context.has_more() else f"{name}.yaml")
    context.finish()
    _refuse(file, may_replace="--force" in context.options)
    schema = file.with_name(f"{name}.schema.json")
    text = json.dumps(template.json_schema(), indent=2, ensure_ascii=False)
    write_atomically(schema, f"{text}\n".encode())
    write_atomically(file, starter(template, schema.name).encode())
    print(f"wrote {file} and {schema}")
    return 0


def _refuse(file: Path, *, may_replace: bool) -> None:
    """Refuse a file that must not or cannot be written, before anything is."""
    if file.suffix not in _SUFFIXES:
        raise UsageError(Problem(f"{str(file)!r} is no YAML file", expected=f"a name that ends in {one_of(_SUFFIXES)}"))
    check_target(file, may_replace=may_replace)

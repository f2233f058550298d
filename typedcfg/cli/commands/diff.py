"""`typedcfg diff A B`: what two configurations, of files or of runs, say differently."""

import os
from pathlib import Path
from typing import Any, Final

from typedcfg.cli.context import Context, UsageError
from typedcfg.compiler.config import Config
from typedcfg.compiler.diff import Difference, diff
from typedcfg.compiler.loaded import load_untyped
from typedcfg.compiler.shape import Absent
from typedcfg.errors import Problem
from typedcfg.origin import Origin
from typedcfg.runner.lookup import find_run
from typedcfg.runner.run_dir import RunDir
from typedcfg.sources.file_reader import SUFFIXES
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.help_json import json_value

_OF_TEMPLATES: Final = ("--env-prefix", "--dotenv", "--secrets-dir")


def run(context: Context) -> int:
    """Print a line for each difference; nothing where there is none."""
    template = _template(context)
    asked = [(context.origin(), context.word(what)) for what in ("A", "B")]
    context.finish()
    before, now = (_config(name, origin, context, template) for origin, name in asked)
    differences = diff(before, now)
    if "--json" in context.options:
        import json

        print(json.dumps([_record(one) for one in differences], indent=2, ensure_ascii=False))
    else:
        for one in differences:
            print(one)
    return 1 if differences and "--exit-code" in context.options else 0


def _template(context: Context) -> type[ConfigTemplate] | None:
    """What files are compiled by: the script's own template, or the one that is named; None without one."""
    if context.template is None and "--app" in context.options:
        from typedcfg.cli.app import load_app

        return load_app(context.options["--app"])
    if context.template is None and (given := [option for option in _OF_TEMPLATES if option in context.options]):
        what = f"{given[0]} sets values by their keys, which only a template knows"
        raise UsageError(Problem(what, expected="--app APP beside it"))
    return context.template


def _config(name: str, origin: Origin, context: Context, template: type[ConfigTemplate] | None) -> Config[Any]:
    """The configuration of a file, or of a run as it was recorded, or handed in."""
    if name.lower().endswith(SUFFIXES) and not os.path.isdir(name):  # noqa: PTH112  # any text has an answer
        if template is None:
            return load_untyped(name, asked=origin)
        return context.compile(template, base=[name], asked=origin)
    file = _written(find_run(name))
    return load_untyped(file, asked=origin) if template is None else template.load(file)


def _written(run: RunDir) -> Path:
    """The configuration that a run was begun with; of one that waits in a queue, that which its job will train."""
    return run.job_config if run.job_config.exists() and not run.config.exists() else run.config


def _record(difference: Difference) -> dict[str, Any]:
    sides = {"before": difference.before, "now": difference.now}
    values = {
        side: json_value(value)
        for side, value in sides.items()
        if not (difference.is_secret or isinstance(value, Absent))
    }
    return {
        "key": difference.key,
        **values,
        "before_origin": difference.before_origin,
        "now_origin": difference.now_origin,
        "in_identity": difference.is_in_identity,
        "secret": difference.is_secret,
    }

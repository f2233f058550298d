"""Recordable: whether `run.yaml` can hold a configuration, so that workers and a resume get the same one back."""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from typedcfg.compiler.config import Config
from typedcfg.compiler.diff import diff
from typedcfg.compiler.secrets import as_overrides, secrets_in
from typedcfg.errors import ConfigError, DeprecatedName, Problem, RunError


def check_recordable(config: Config[Any]) -> None:
    """Compile what would be written, and compare.

    Asked before anything is made: a value in a field typed `Any` may be of a type that YAML has no word for.

    Raises:
        RunError: A value comes back as another, or not at all; every one is named.
        UnsupportedValue: A value cannot be written.
    """
    text, template = config.to_yaml(), type(config.params)
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecatedName)  # whoever compiled the configuration was told
        written = Path(folder, "run.yaml")
        written.write_text(text, encoding="utf-8")
        try:
            read = template.compile(written, overrides=as_overrides(secrets_in(config.params)))
        except ConfigError as error:
            lost = [problem.what for problem in error.problems]
        else:
            lost = [f"{d.key} = {d.now_text} comes back as {d.before_text}" for d in diff(read, config)]
    if lost:
        raise RunError(
            Problem(
                "a record of this configuration would not give it back:\n" + "\n".join(lost),
                expected="values that YAML has words for, or a field whose type says what a text means",
                fix="give the field its type instead of Any",
            )
        )

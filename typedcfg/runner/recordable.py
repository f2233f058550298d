"""Recordable: whether `run.yaml` can hold a configuration, so that workers and a resume get the same one back."""

from typing import Any

from typedcfg.compiler.config import Config
from typedcfg.compiler.writing.saving import losses
from typedcfg.errors import Problem, RunError


def check_recordable(config: Config[Any]) -> None:
    """Compile what would be written, and compare.

    Asked before anything is made: a value in a field typed `Any` may be of a type that YAML has no word for.

    Raises:
        RunError: A value comes back as another, or not at all; every one is named.
        UnsupportedValue: A value cannot be written.
    """
    if lost := losses(config, config.to_yaml(), ".yaml"):
        raise RunError(
            Problem(
                "a record of this configuration would not give it back:\n" + "\n".join(p.what for p in lost),
                expected="values that YAML has words for, or a field whose type says what a text means",
                fix=lost[0].fix,
            )
        )

"""The secrets of a configuration, for who has to give them to another compilation of it."""

from collections.abc import Mapping
from typing import Any

from pydantic import Secret, SecretBytes, SecretStr
from pydantic_core import to_jsonable_python

from typedcfg.compiler.config import Config, told_by
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.key_path import parse_key_path, render_key_path
from typedcfg.sources.escapes import written_text
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.leaves import iter_leaves


def secrets_in(section: ConfigTemplate) -> dict[str, Any]:
    """The secrets of a configuration by key path, in the clear and as JSON; those that are null are none."""
    secret = ((leaf.path, leaf.value) for leaf in iter_leaves(section) if leaf.entry.is_secret)
    return {render_key_path(path): _revealed(value) for path, value in secret if value is not None}


def given_secrets(config: Config[Any]) -> dict[str, Any]:
    """Those that somebody gave: what a class has by itself, another compilation has too."""
    return {key: secret for key, secret in secrets_in(config.params).items() if _is_given(config, key)}


def as_overrides(secrets: Mapping[str, Any]) -> dict[str, Any]:
    """Secrets as overrides of a compilation, in which nothing they hold is taken for a reference."""
    return {key: _escaped(value) for key, value in secrets.items()}


def _is_given(config: Config[Any], key: str) -> bool:
    story, above = told_by(config)
    place = story.descent.place((*above, *parse_key_path(key)))
    return place is not None and any(said.layer.strength != DEFAULTS for said in place.live)


def _revealed(value: Any) -> Any:
    """What secrets hold, wherever they are in a value; all of it as JSON holds it, to be handed on."""
    if isinstance(value, (Secret, SecretBytes, SecretStr)):
        value = value.get_secret_value()
    match value:
        case bytes():
            return value.decode()
        case Mapping():
            return {_revealed(key): _revealed(item) for key, item in value.items()}
        case list() | tuple():
            return [_revealed(item) for item in value]
        case set() | frozenset():
            return sorted(map(_revealed, value), key=repr)  # in an order that the next process finds too
    return to_jsonable_python(value, inf_nan_mode="constants")


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return written_text(value) if isinstance(value, str) else value

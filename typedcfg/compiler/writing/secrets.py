"""The secrets of a configuration, for who has to give them to another compilation of it."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretBytes, SecretStr

from typedcfg.compiler.config import Config, told_by
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.key_path import parse_key_path, render_key_path
from typedcfg.sources.escapes import written_text
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.leaves import iter_leaves


def secrets_in(section: ConfigTemplate) -> dict[str, Any]:
    """The secrets of a configuration by key path, in the clear; those that are null are none."""
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
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, SecretBytes):
        return value.get_secret_value().decode()
    if isinstance(value, Mapping):
        return {key: _revealed(item) for key, item in value.items()}
    return [_revealed(item) for item in value] if isinstance(value, (list, tuple)) else value


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return written_text(value) if isinstance(value, str) else value

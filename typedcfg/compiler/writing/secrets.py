"""The secrets of a configuration, for who has to give them to another compilation of it."""

from collections.abc import Mapping
from operator import eq
from typing import Any

from pydantic import Secret, SecretBytes, SecretStr
from pydantic_core import to_jsonable_python

from typedcfg.compiler.config import Config, told_by
from typedcfg.compiler.declared import may_hold_secret
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.compiler.renames import moves_of
from typedcfg.key_path import KeyPath, parse_key_path, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Appended, Branch, Items, Positions, Removed
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


def may_be_secret(template: type[ConfigTemplate], path: KeyPath) -> bool:
    """Whether what is written for a key may be a secret or hold one; also for one that has another name today."""
    moved = (new for old, new in moves_of(template) if all(map(eq, old, path)))
    return any(may_hold_secret(template, key) for key in (path, *moved))


def read_files(config: Config[Any]) -> dict[str, bool]:
    """The files that a configuration was read from, and whether a secret stands in each; code is none of them."""
    story, _ = told_by(config)
    found: dict[str, bool] = {}
    todo: list[tuple[KeyPath, object, Origin]] = [
        ((), root, root.origin) for layer in story.layers for root in layer.roots
    ]
    while todo:
        path, value, origin = todo.pop()
        if isinstance(value, (Appended, Removed)):
            value = value.items
        if isinstance(value, (Branch, Positions)):
            todo += [((*path, key), inner, value.origins[key]) for key, inner in value.items()]  # type: ignore[index]
        elif isinstance(value, Items):
            todo += [((*path, n), inner, value.origins[n]) for n, inner in enumerate(value)]
        elif not origin.source.endswith(".py"):
            is_secret = found.get(origin.source, False) or may_be_secret(type(story.root), path)
            found[origin.source] = is_secret
    return found


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

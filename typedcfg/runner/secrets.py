"""Secrets on their way to the processes of a run: through their environment, and never to a disk."""

import os
from collections.abc import Collection, Mapping
from typing import Any, Final

import orjson
from pydantic import SecretBytes, SecretStr

from typedcfg.key_path import render_key_path
from typedcfg.sources.base import REFERENCE_MARK
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.leaves import iter_leaves

SECRETS_VARIABLE: Final = "TYPEDCFG_SECRETS"
"""All secrets of a run as JSON, by key path: command lines are seen by everybody on a machine."""
_HIDDEN: Final = "**********"


def secrets_in(section: ConfigTemplate) -> dict[str, Any]:
    """The secrets of a configuration by key path, in the clear; those that are null are none."""
    secret = ((leaf.path, leaf.value) for leaf in iter_leaves(section) if leaf.entry.is_secret)
    return {render_key_path(path): _revealed(value) for path, value in secret if value is not None}


def secrets_variable(secrets: Mapping[str, Any]) -> dict[str, str]:
    """The variable that hands secrets on to a process."""
    return {SECRETS_VARIABLE: orjson.dumps(secrets).decode()} if secrets else {}


def take_secrets() -> dict[str, Any]:
    """The secrets that this process was handed; what it starts in turn is not handed them."""
    secrets: dict[str, Any] = orjson.loads(os.environ.pop(SECRETS_VARIABLE, "{}"))
    return secrets


def as_overrides(secrets: Mapping[str, Any]) -> dict[str, Any]:
    """Secrets as overrides of a compilation, in which nothing they hold is taken for a reference."""
    return {key: _escaped(value) for key, value in secrets.items()}


def texts_of(secrets: Mapping[str, Any]) -> frozenset[str]:
    """Each text that must not be seen."""
    return frozenset(text for value in secrets.values() for text in _texts(value) if text)


def redact(text: str, secret_texts: Collection[str]) -> str:
    """The text, its secrets hidden.

    Example:
        >>> redact("api.token=hunter2", {"hunter2"})
        'api.token=**********'
    """
    for secret in sorted(secret_texts, key=len, reverse=True):  # one may be a part of another
        text = text.replace(secret, _HIDDEN)
    return text


def redact_bytes(content: bytes, secret_texts: Collection[str]) -> bytes:
    """The content of a file, its secrets hidden; it may be in any encoding, or in several."""
    hidden = {text.encode().decode("latin-1") for text in secret_texts}
    return redact(content.decode("latin-1"), hidden).encode("latin-1")


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
    return value.replace(REFERENCE_MARK, f"${REFERENCE_MARK}") if isinstance(value, str) else value


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else [str(value)]

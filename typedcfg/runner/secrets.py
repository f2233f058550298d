"""Secrets on their way to the processes of a run: through their environment, and never to a disk."""

import json
import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

SECRETS_VARIABLE: Final = "TYPEDCFG_SECRETS"
"""All secrets of a run as JSON, by key path: command lines are seen by everybody on a machine."""
_TELLING: Final = 4
"""From what length on a secret's lines, and numbers, are hidden [characters]; a bracket would hide all brackets."""
HIDDEN: Final = "**********"
"""What stands in place of a secret."""


def secrets_variable(secrets: Mapping[str, Any]) -> dict[str, str]:
    """The variable that hands secrets on to a process."""
    return {SECRETS_VARIABLE: json.dumps(secrets)} if secrets else {}


def take_secrets() -> dict[str, Any]:
    """The secrets that this process was handed; what it starts in turn is not handed them."""
    secrets: dict[str, Any] = json.loads(os.environ.pop(SECRETS_VARIABLE, "{}"))
    return secrets


def texts_of(secrets: Mapping[str, Any]) -> frozenset[str]:
    """Each text that must not be seen: a secret, its lines, and either as Python, JSON and addresses spell it."""
    return frozenset(form for value in secrets.values() for text in _texts(value) for form in _forms(text) if form)


def redact(text: str, secret_texts: Collection[str]) -> str:
    """The text, its secrets hidden.

    Example:
        >>> redact("api.token=hunter2", {"hunter2"})
        'api.token=**********'
    """
    for secret in sorted(secret_texts, key=len, reverse=True):  # one may be a part of another
        text = text.replace(secret, HIDDEN)
    return text


def redact_bytes(content: bytes, secret_texts: Collection[str]) -> bytes:
    """The content of a file, its secrets hidden; it may be in any encoding, or in several."""
    hidden = {text.encode().decode("latin-1") for text in secret_texts}
    return redact(content.decode("latin-1"), hidden).encode("latin-1")


def _forms(text: str) -> Iterator[str]:
    # A log is written line by line, and a secret from a file has a line's end that whoever uses it takes off.
    lines = (line.strip() for line in text.splitlines())
    for part in (text, *(line for line in lines if len(line) >= _TELLING)):
        yield from (part, repr(part)[1:-1], ascii(part)[1:-1], json.dumps(part)[1:-1])
        yield repr(part.encode(errors="replace"))[2:-1]
        yield from (quote(part, safe, errors="replace") for safe in ("", "/"))
        yield quote_plus(part, errors="replace")


def _texts(value: Any) -> list[str]:
    """The texts in a value, and its numbers: of a tuple, what stands beside a secret is hidden with it."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if value is None or isinstance(value, bool):
        return []
    return [str(value)] if isinstance(value, str) or len(str(value)) >= _TELLING else []

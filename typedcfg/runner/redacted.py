"""What is recorded of a command and of the code: no secret, in whatever way it is written there."""

import os
import re
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from typedcfg.compiler.config import Config
from typedcfg.compiler.writing.secrets import given_secrets, may_be_secret, read_files, secrets_in
from typedcfg.key_path import parse_key_path
from typedcfg.runner.secrets import HIDDEN, redact, redact_bytes, texts_of
from typedcfg.sources.overrides import covered

_SECTION: Final = re.compile(rb"^(?=diff --git )", re.MULTILINE)
_HEADER: Final = b"diff --git "


def recorded_words(words: Iterable[str], config: Config[Any]) -> tuple[str, ...]:
    """The words of a command; what is set for a key that is a secret, or may hold one, is hidden whole."""
    texts, template = texts_of(secrets_in(config.params)), type(config.params)
    return tuple(redact(word, texts) for word in covered(words, partial(may_be_secret, template), HIDDEN))


def recorded_patch(patch: bytes, config: Config[Any]) -> bytes:
    """A patch without the files that the configuration was read from, where a secret stands or stood in them.

    Of such a file no line is left: a format has many ways to write one value, and a line that was removed may be as
    telling as one that was added. What else it says is in `run.yaml`. In other files secrets are hidden word by word.
    """
    files = {os.path.realpath(name): is_telling for name, is_telling in read_files(config).items()}
    keys = [str(parse_key_path(key)[-1]).encode() for key in given_secrets(config)]
    told = []
    for section in _SECTION.split(patch):
        path = _path_of(section)
        of_config = [is_telling for name, is_telling in files.items() if path and name.endswith(f"/{path}")]
        if any(of_config) or (of_config and any(key in section for key in keys)):
            told.append(
                f"typedcfg: {path} differs, and is left out: it holds a secret; run.yaml has the rest\n".encode()
            )
        else:
            told.append(section)
    return redact_bytes(b"".join(told), texts_of(secrets_in(config.params)))


def _path_of(section: bytes) -> str:
    """The file that a section of a patch is about; empty before the first one."""
    if not section.startswith(_HEADER):
        return ""
    names = section.partition(b"\n")[0][len(_HEADER) :]
    name = names[: len(names) // 2]  # the same name twice, a space between: renames are not looked for
    if name.startswith(b'"'):  # as C writes it
        name = name[1:-1].decode("unicode_escape").encode("latin-1")
    return os.fsdecode(name[len(b"a/") :])

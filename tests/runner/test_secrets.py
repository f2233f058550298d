import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Secret, SecretBytes, SecretStr

from typedcfg import ConfigTemplate
from typedcfg.compiler.writing.secrets import as_overrides, secrets_in
from typedcfg.runner.secrets import (
    SECRETS_VARIABLE,
    redact,
    redact_bytes,
    secrets_variable,
    take_secrets,
    texts_of,
)


class Api(ConfigTemplate):
    token: SecretStr
    key: SecretBytes = SecretBytes(b"open")
    more: dict[str, SecretStr] = {}
    absent: SecretStr | None = None


class Key(ConfigTemplate):
    key: SecretStr


class Params(ConfigTemplate):
    api: Api


def test_secrets_of_all_kinds_reach_a_worker_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Params.compile(overrides={"api.token": "a", "api.key": "b", "api.more": {"first": "c"}})
    for name, value in secrets_variable(secrets_in(config.params)).items():
        monkeypatch.setenv(name, value)

    taken = take_secrets()

    assert taken == {"api.token": "a", "api.key": "b", "api.more": {"first": "c"}}
    assert secrets_in(Params.compile(overrides=as_overrides(taken)).params) == taken


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (list[SecretStr], ["hush-hush"]),
        (set[SecretStr], ["hush-hush"]),
        (frozenset[SecretBytes], ["hush-hush"]),
        (tuple[SecretStr, int], ["hush-hush", 1]),
        (tuple[SecretStr, ...], ["hush-hush"]),
        (dict[str, SecretStr], {"first": "hush-hush"}),
        (dict[str, set[SecretStr]], {"first": ["hush-hush"]}),
        (list[dict[str, tuple[SecretStr, ...]]], [{"first": ["hush-hush"]}]),
        (set[tuple[str, SecretStr]], [["first", "hush-hush"]]),
        (SecretStr | set[SecretStr], ["hush-hush"]),
        (list[Key], [{"key": "hush-hush"}]),
        (dict[str, Key], {"first": {"key": "hush-hush"}}),
        (Secret[list[str]], ["hush-hush"]),
        (Secret[Path], "hush-hush"),
        (list[Secret[int]], [20_051_977]),
    ],
    ids=str,
)
def test_a_secret_is_hidden_and_handed_on_whatever_holds_it(
    kind: type, value: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    holder: type[ConfigTemplate] = type(
        "Holder", (ConfigTemplate,), {"__annotations__": {"held": kind}, "__module__": __name__}
    )
    config = holder.compile(overrides={"held": value})
    secrets, texts = secrets_in(config.params), ("hush-hush", "20051977")

    shown = [config.to_yaml(origins=True), config.to_python(), repr(config), str(config.explain("held"))]
    for name, variable in secrets_variable(secrets).items():
        monkeypatch.setenv(name, variable)

    for told in (*shown, redact(f"the training says {value}", texts_of(secrets))):
        assert not any(text in told for text in texts)
    config.save(tmp_path / "run.yaml")
    assert holder.compile(tmp_path / "run.yaml", overrides=as_overrides(take_secrets())).params == config.params


def test_a_number_beside_a_secret_is_no_secret() -> None:
    assert redact("epoch 2 of None", texts_of({"pair": ["hush-hush", 2, None, True]})) == "epoch 2 of None"


def test_what_a_worker_starts_in_turn_is_not_handed_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRETS_VARIABLE, '{"token":"a"}')
    take_secrets()

    assert take_secrets() == {}


def test_without_secrets_there_is_no_variable() -> None:
    assert secrets_variable({}) == {}


def test_a_secret_that_is_part_of_another_does_not_uncover_it() -> None:
    assert redact("say abcdef", texts_of({"short": "abc", "long": "abcdef"})) == "say **********"


def test_a_secret_is_hidden_in_files_of_any_encoding() -> None:
    assert redact_bytes(b"\xff h\xc3\xa9 \xfe", {"h\u00e9"}) == b"\xff ********** \xfe"


def test_an_empty_secret_hides_nothing() -> None:
    assert redact("text", texts_of({"token": ""})) == "text"


KEY = "-----BEGIN KEY-----\nMIIEvQIBADAN\n}\n-----END KEY-----\n"


def test_each_line_of_a_secret_is_hidden_where_it_stands_alone() -> None:
    hidden = redact("MIIEvQIBADAN, and {} stays", texts_of({"key": KEY}))

    assert hidden == "**********, and {} stays"


@pytest.mark.parametrize(
    "spell", [repr, ascii, json.dumps, quote, quote_plus, str.strip, lambda text: repr(text.encode())]
)
def test_a_secret_is_hidden_however_it_is_spelt(spell: Callable[[str], str]) -> None:
    secret = 'it\'s a "pass\\word"\n& caf\u00e9/100%\n'

    hidden = redact(f"before {spell(secret)} after", texts_of({"token": secret}))

    assert not {"pass", "word", "caf", "100"} & {*re.findall(r"[a-z]+|\d+", hidden)}


@given(st.text(min_size=4), st.sampled_from(["{}", "{!r}", "<{}>"]))
def test_no_secret_is_left(secret: str, form: str) -> None:
    assert secret not in redact(form.format(secret), texts_of({"token": secret})).replace("*", "")

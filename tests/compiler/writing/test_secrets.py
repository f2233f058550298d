import pytest
from pydantic import SecretBytes, SecretStr

from typedcfg import ConfigTemplate
from typedcfg.compiler.writing.secrets import as_overrides, given_secrets, secrets_in


class Params(ConfigTemplate):
    token: SecretStr = SecretStr("t")
    open: list[SecretBytes] = [SecretBytes(b"k")]
    absent: SecretStr | None = None
    name: str = "n"


def test_secrets_are_found_by_key_path_and_in_the_clear() -> None:
    assert secrets_in(Params.compile().params) == {"token": "t", "open": ["k"]}


def test_only_what_somebody_set_is_given() -> None:
    assert given_secrets(Params.compile()) == {}
    assert given_secrets(Params.compile(overrides=["token=t"])) == {"token": "t"}
    assert given_secrets(Params.compile(overrides=["open+=[l]"])) == {"open": ["k", "l"]}
    assert given_secrets(Params.compile(overrides=["token=t", "~token"])) == {}


@pytest.mark.parametrize("secret", ["${root.api}", "$${x}", "$$", "a${b}c"])
def test_nothing_in_a_secret_is_taken_for_a_reference(secret: str) -> None:
    config = Params.compile(overrides=as_overrides({"token": secret}))

    assert config.params.token.get_secret_value() == secret

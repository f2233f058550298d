"""What went wrong with configurations of DanLing and of CHANfiG below it: a test for each, that would see it here."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator

from typedcfg import Config, ConfigError, ConfigTemplate, NotInIdentity, section
from typedcfg.errors import UnsupportedValue

Write = Callable[..., None]


def at_most_ten(value: float) -> float:
    if value > 10:
        raise ValueError("at most 10")
    return value


class Loader(ConfigTemplate):
    batch_size: int = 128
    workers: Annotated[int, NotInIdentity()] = 2


class Params(ConfigTemplate):
    epochs: int = 10
    log: bool = True
    lr: Annotated[float, AfterValidator(at_most_ten)] = 0.1
    clip: int | None = 1
    seed: int = 0
    loader: Loader = section(Loader)
    free: dict[str, Any] = {}


def compiled(*overrides: str, **presets: object) -> Config[Params]:
    return Params.compile(presets=[presets], overrides=overrides)


def refused(*overrides: str, **presets: object) -> str:
    with pytest.raises(ConfigError) as caught:
        compiled(*overrides, **presets)
    return str(caught.value)


# --- identity -------------------------------------------------------------------------------------------------------


def test_an_identity_is_the_same_however_often_it_is_asked_for() -> None:
    config, untouched = compiled(), compiled()

    first = (config.fingerprint, config.run_uuid, hash(config))
    _ = (config.get("foo"), hasattr(config, "foo"), "foo" in config, config.loader.get("foo"), config.plain())

    assert (config.fingerprint, config.run_uuid, hash(config)) == first
    assert first == (untouched.fingerprint, untouched.run_uuid, hash(untouched))
    assert [*config] == [*untouched]


def test_what_bears_on_no_outcome_is_declared_and_makes_no_other_run() -> None:
    assert compiled("loader.workers=8").run_uuid == compiled().run_uuid
    assert compiled("seed=1").run_uuid != compiled().run_uuid
    assert "unknown key 'iter_begin'" in refused("iter_begin=3")


def test_the_type_of_a_field_says_which_numbers_are_the_same() -> None:
    assert compiled(lr=1).fingerprint == compiled(lr=1.0).fingerprint == compiled("lr=1").fingerprint
    assert compiled(free={"a": 1}).fingerprint != compiled(free={"a": 1.0}).fingerprint


def test_a_value_without_an_identity_is_named() -> None:
    with pytest.raises(UnsupportedValue, match=r"builtin_function_or_method(.|\n)*at            free\.call"):
        _ = compiled(free={"call": print}).fingerprint


def test_any_text_has_an_identity() -> None:
    texts = ["größe", "大きい", "\u0000", "e\u0301", "\u00e9"]

    assert len({str(compiled(free={"name": text}).fingerprint) for text in texts}) == len(texts)


def test_a_configuration_is_found_again_in_a_set() -> None:
    config = compiled()
    known = {config}

    draft = config.unlock()
    draft.epochs = 99

    assert config in known
    assert compiled() in known
    assert draft.lock() not in known


# --- reading and writing --------------------------------------------------------------------------------------------


def test_reading_adds_no_key() -> None:
    config = compiled(free={"a": 1})

    for key in ("zzz", "loader.zzz", "free.zzz"):
        assert config.get(key) is None
    with pytest.raises(AttributeError):
        _ = config.zzz

    assert [key for key, _ in config.leaves()] == [key for key, _ in compiled(free={"a": 1}).leaves()]
    assert config.free == {"a": 1}


@pytest.mark.parametrize("near", ["epoch", "epoch_ends", "loaders", "log_"])
def test_a_name_that_is_nearly_right_is_wrong(near: str) -> None:
    message = refused(f"{near}=3")

    assert f"unknown key '{near}'" in message
    assert "did you mean" in message


def test_a_word_for_no_is_false() -> None:
    values = {word: compiled(f"log={word}").log for word in ("no", "No", "off", "false", "False", "f", "n", "0")}

    assert not any(values.values())
    assert compiled(log="False").log is False
    assert "log = 'nope' is wrong" in refused("log=nope")


def test_a_value_assigned_later_is_held_to_its_type() -> None:
    draft = compiled().unlock()

    for key, value in {"epochs": "many", "log": [], "lr": 11.0, "loader": 3}.items():
        with pytest.raises(ConfigError, match=key):
            draft[key] = value

    assert draft.lock() == compiled()


def test_what_is_required_is_asked_for() -> None:
    class Study(ConfigTemplate):
        path: str
        loader: Loader

    with pytest.raises(ConfigError, match="path is required"):
        Study.compile(overrides=["loader.workers=1"])


def test_no_digit_is_lost() -> None:
    assert "epochs = 3.7 is wrong" in refused("epochs=3.7")
    assert "epochs = 3.7 is wrong" in refused(epochs=3.7)
    assert compiled("epochs=3.0").epochs == 3


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "1.0e-3", "0.001"])
def test_a_number_is_a_number_in_every_file_and_argument(write: Write, text: str) -> None:
    write(file=f"lr: {text}")

    assert Params.compile("file.yaml").lr == compiled(f"lr={text}").lr == 0.001


def test_a_validator_holds_from_the_beginning() -> None:
    class Wrong(ConfigTemplate):
        lr: Annotated[float, AfterValidator(at_most_ten)] = 11.0

    with pytest.raises(ConfigError, match="at most 10"):
        Wrong.compile()
    with pytest.raises(ValueError, match="at most 10"):
        Params(lr=11.0)
    assert "at most 10" in refused("lr=11")


def test_a_key_that_is_called_as_a_verb_is_reached_as_an_item() -> None:
    config = compiled(free={"items": 3, "keys": {"get": 4}})

    assert (config["free.items"], config["free.keys.get"]) == (3, 4)


def test_an_option_without_a_value_says_how_to_give_one() -> None:
    assert "fix           write --log=value" in refused("--log")
    assert compiled("--log=false").log is False


def test_null_may_be_given_to_a_number_that_may_be_absent() -> None:
    assert compiled("clip=null").clip is None
    assert compiled("--clip", "null").clip is None
    assert "expected      integer or null" in refused("clip=None")

import pickle
from typing import Literal

from pydantic import SecretStr

from typedcfg import Config, ConfigTemplate, section
from typedcfg.compiler.described import DescribedConfig


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    """How far a step goes."""


class Adam(ConfigTemplate):
    kind: Literal["adam"] = "adam"
    beta: float = 0.9


class Params(ConfigTemplate):
    epochs: int = 10
    """How often all data is seen."""
    optimizer: Sgd | Adam = section(Sgd)
    others: list[Sgd] = []
    token: SecretStr | None = None


HELP = {
    "epochs": "[integer] How often all data is seen.",
    "optimizer": {"kind": "[only sgd]", "lr": "[number] How far a step goes."},
    "others": "[list of sections Sgd]",
    "token": "[secret text or null]",
}


def test_the_descriptions_stand_under_a_key_of_their_own() -> None:
    config = Params(epochs=3).to_config(store_description=True)

    assert config["__help__"] == config.get("__help__") == HELP
    assert config["optimizer"]["__help__"] == config.optimizer["__help__"] == HELP["optimizer"]
    assert config["optimizer.lr"] == 0.1


def test_plain_data_has_them_and_nothing_else_has() -> None:
    config, without = Params(epochs=3).to_config(store_description=True), Params(epochs=3).to_config()

    assert config.plain() == {**without.plain(), "__help__": HELP}
    assert list(config) == list(without)
    assert config == without
    assert hash(config) == hash(without)
    assert config.fingerprint == without.fingerprint
    assert config.to_yaml() == without.to_yaml()


def test_without_being_asked_for_there_are_none() -> None:
    config = Params().to_config(store_description=False)

    assert type(config) is Config
    assert "__help__" not in config
    assert "__help__" not in config.plain()


def test_they_survive_pickling() -> None:
    config = pickle.loads(pickle.dumps(Params().to_config(store_description=True)))

    assert isinstance(config, DescribedConfig)
    assert config["__help__"] == HELP

"""How typedcfg is used, as type checkers see it: no ignored errors, and the types that a user relies on.

Nothing here runs; mypy and pyright read it, both strict.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, assert_type
from uuid import UUID

from annotated_types import Gt
from lightning.pytorch import LightningDataModule, LightningModule

from typedcfg import (
    AddedIn,
    Config,
    ConfigError,
    ConfigTemplate,
    Deprecated,
    Draft,
    Experiment,
    Kind,
    NotInIdentity,
    RenamedFrom,
    Runner,
    TypedcfgError,
    Unit,
    View,
    derived,
    main,
    section,
)


class Loader(ConfigTemplate):
    batch_size: Annotated[int, Gt(0), Unit("samples"), RenamedFrom("bs")] = 128
    num_workers: Annotated[int, NotInIdentity()] = 2
    shuffle: Annotated[bool, AddedIn(was=True)] = True
    prefetch: Annotated[int | None, Deprecated("use num_workers", since="0.3")] = None


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: Annotated[float, Gt(0)] = derived(lambda c: c.root.loader.batch_size / 128 * 0.01)
    betas: tuple[float, float] = (0.9, 0.999)


class Sgd(ConfigTemplate):
    kind: Annotated[Literal["sgd"], Kind(renamed_from="vanilla")] = "sgd"
    lr: Annotated[float, Gt(0)] = 0.1
    momentum: float = 0.9


def warmup_of(c: View["Digits"]) -> int:
    """A formula that a type checker follows: the root is a Digits."""
    assert_type(c.root.loader, Loader)
    assert_type(c.root.loader.batch_size, int)
    return 1000 // c.root.loader.batch_size


class Small(ConfigTemplate):
    """A default for each section is what a type checker needs to see `Small()` made."""

    loader: Loader = section(Loader)
    optimizer: AdamW | Sgd = section(Sgd, momentum=0.5)


class Digits(Experiment):
    data_dir: Annotated[Path, NotInIdentity()] = Path("data")
    loader: Loader = section(Loader, batch_size=64)
    optimizer: AdamW | Sgd = section(AdamW)
    layers: list[Loader] = []
    warmup: int = derived(warmup_of)

    def build_model(self) -> LightningModule:
        return LightningModule()

    def build_data(self) -> LightningDataModule:
        return LightningDataModule()


def declares() -> None:
    """A section is made like a pydantic model; its arguments are checked."""
    assert_type(Loader(batch_size=64), Loader)
    assert_type(Sgd(lr=0.2).lr, float)
    assert_type(Small(optimizer=Sgd()).loader, Loader)
    assert_type(section(AdamW), AdamW)
    assert_type(Sgd().arguments("kind"), dict[str, Any])
    assert_type(Digits.help(format="markdown", key="optimizer"), str)


def compiles() -> Config[Digits]:
    """Everything that `compile` takes, and the configuration that it gives."""
    try:
        Small().to_config()
    except ConfigError as error:
        assert_type(error.problems[0].where, str)
    config = Digits.compile(
        "base.yaml",
        Path("wide.yaml"),
        overrides=["loader.batch_size=256"],
        presets=[{"loader": {"batch_size": 64}}],
        env_prefix="DIGITS__",
        dotenv=".env",
        secrets_dir="secrets",
    )
    assert_type(config, Config[Digits])
    assert_type(Digits.compile(overrides={"loader.batch_size": 256}), Config[Digits])
    assert_type(Sgd(momentum=0.5).to_config(), Config[Sgd])
    return config


def reads(config: Config[Digits]) -> None:
    """`params` is typed all the way down; the other two ways are not."""
    assert_type(config.params, Digits)
    assert_type(config.params.loader.batch_size, int)
    assert_type(config.params.loader.prefetch, int | None)
    assert_type(config.params.run.seed, int)
    assert_type(config.params.trainer.max_epochs, int | None)
    assert_type(config.params.layers[0].shuffle, bool)
    assert_type(config.loader.batch_size, Any)
    assert_type(config["layers[2].shuffle"], Any)
    assert_type(config.explain("optimizer.lr"), str)
    assert_type(config.plain(), dict[str, Any])
    assert_type(config.to_yaml(origins=True), str)
    assert_type(config.run_uuid, UUID)
    assert_type(config.fingerprint.digest, str)


def changes(config: Config[Digits]) -> Config[Any]:
    """A draft is not typed below its name; what it is locked to is a configuration."""
    draft = config.unlock()
    assert_type(draft, Draft)
    draft.loader.batch_size = 512
    draft["loader.batch_size"] = 512
    del draft.optimizer.lr
    with config.unlocked() as other:
        assert_type(other, Draft)
        other.optimizer = Sgd(momentum=0.5)
    assert_type(config.merge({"loader": {"batch_size": 1}}, keep_existing=True), Config[Digits])
    for difference in config.diff(config):
        assert_type(difference.before_origin, str)
        assert_type(difference.is_in_identity, bool)
    assert_type(dict(config.leaves()), dict[str, Any])
    assert_type([section for _, section in config.walk()], list[Config[Any]])
    assert_type(config.to_python(), str)
    assert_type(Config.from_dict({"lr": 0.1}), Config[Any])
    assert_type(Draft(a=1, b=Draft(c=2)).b.c, Any)
    assert_type(Draft.from_dict({"a": 1}, on_missing="none"), Draft)
    return draft.lock()


def chooses(config: Config[Digits]) -> float:
    """A variant is told apart by its kind, or by its class."""
    optimizer = config.params.optimizer
    assert_type(optimizer, AdamW | Sgd)
    if optimizer.kind == "sgd":
        assert_type(optimizer, Sgd)
        return optimizer.momentum
    match optimizer:
        case AdamW(betas=(first, _)):
            return first


def runs(config: Config[Digits]) -> float | None:
    """A configuration is run, and the run is asked how it went."""
    runner = Runner(config)
    try:
        runner.fit()
        runner.test()
    except TypedcfgError as error:
        print(error)
    assert_type(runner.dir, Path)
    assert_type(runner.run_uuid, UUID)
    assert_type(runner.scores, Mapping[int, float])
    assert_type(runner.is_best, bool)
    return runner.best_score


def script() -> NoReturn:
    """A file that is run: `python digits.py base.yaml`."""
    main(Digits, presets=[{"loader": {"num_workers": 0}}, Digits.compile("small.yaml").params])

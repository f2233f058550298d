"""What CHANfiG, on which DanLing's configurations stand, can do, and how it is done here."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

import pytest
from annotated_types import Gt
from pydantic import field_validator, model_validator

from typedcfg import Config, ConfigError, ConfigTemplate, derived, main

Write = Callable[..., None]


class Rate(ConfigTemplate):
    lr: float = 0.1
    decay: float = 0.5


class Params(ConfigTemplate):
    epochs: int = 10
    """Passes over the data."""
    amp: bool = False
    lr: float = 0.1
    clip: float | None = None
    name: str = "run"
    mode: Literal["min", "max"] = "min"
    batch_size: Annotated[int, Gt(0)] = 128
    tags: list[str] = []
    rate: Rate
    groups: dict[str, Rate] = {}

    @field_validator("name")
    @classmethod
    def _is_short(cls, name: str) -> str:
        if len(name) > 20:
            raise ValueError("a name has at most 20 characters")
        return name


def compiled(*overrides: str) -> Config[Params]:
    return Params.compile(overrides=overrides)


def refused(*overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        compiled(*overrides)
    return str(caught.value)


def test_a_key_path_leads_into_sections() -> None:
    config = Params.compile(overrides={"rate.lr": 0.5, 'groups["backbone.0"].lr': 0.2})

    assert config.params.rate == Rate(lr=0.5)
    assert config['groups["backbone.0"].lr'] == config.params.groups["backbone.0"].lr == 0.2


def test_values_are_read_as_the_field_says() -> None:
    config = compiled("epochs=20", "lr=1", "name=12")

    assert (config.epochs, config.lr, config.name) == (20, 1.0, "12")
    assert type(config.lr) is float
    assert "epochs = 'many' is wrong\n  at            overrides[1]\n  expected      integer" in refused(
        "amp=true", "epochs=many"
    )


def test_a_name_that_is_new_is_a_section_with_its_defaults() -> None:
    assert compiled("groups.neck.lr=0.05").params.groups == {"neck": Rate(lr=0.05, decay=0.5)}
    assert compiled().params.groups == {}


def test_an_expression_compares_chooses_and_calls() -> None:
    config = compiled("amp=true", "epochs=${max(5, 30 if amp and batch_size >= 128 else 3)}", "name=e${epochs}")

    assert (config.epochs, config.name) == (30, "e30")


def test_an_expression_is_kept_beside_its_value() -> None:
    config = compiled("epochs=${batch_size // 4}")

    assert config.epochs == 32
    assert "wins      ${batch_size // 4}  overrides[0]" in config.explain("epochs")
    assert config.merge({"batch_size": 64}).epochs == 16


def test_one_value_may_stand_in_many_places() -> None:
    config = Params.compile(
        presets=[{"rate": {"lr": "${lr}"}, "groups": {"head": "${rate}"}}], overrides=["lr=0.7", "rate.decay=0.9"]
    )

    assert (config.rate.lr, config.params.groups["head"]) == (0.7, Rate(lr=0.7, decay=0.9))


def test_a_field_says_its_type_its_choices_its_limits_and_its_help() -> None:
    message = refused("mode=mean", "batch_size=0", "epochs=1.5", "name=" + "x" * 21)

    assert message.startswith("4 problems in the configuration")
    for told in ("mode = 'mean'", "batch_size = 0", "epochs = 1.5", "a name has at most 20 characters"):
        assert told in message
    assert "Passes over the data." in Params.help()


def test_a_script_reads_its_own_arguments(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(wide="batch_size: 256\nlr: 0.2")

    with pytest.raises(SystemExit) as ended:
        main(Params, presets=[{"epochs": 3}], arguments=["show", "wide.yaml", "--lr", "0.3", "--name=x"])

    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert [line.split("  ")[0] for line in shown.splitlines()[:5]] == [
        "epochs: 3",
        "amp: false",
        "lr: 0.3",
        "clip: null",
        "name: x",
    ]
    assert "batch_size: 256" in shown


def test_an_unknown_option_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(Params, arguments=["check", "--epoch", "3"])

    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "epoch" in told
    assert "did you mean  epochs" in told


@pytest.mark.parametrize(
    ("override", "value"),
    [("amp=yes", True), ("amp=f", False), ("lr=-1.5", -1.5), ("clip=null", None), ("tags=[a, b, c]", ["a", "b", "c"])],
)
def test_arguments_are_read_by_the_type_of_their_field(override: str, value: Any) -> None:
    assert compiled(override)[override.partition("=")[0]] == value


def test_two_configurations_are_compared_value_by_value() -> None:
    one, other = compiled("epochs=20", "lr=0.5"), compiled("lr=0.5", "rate.lr=1")

    differences = {difference.key: (difference.before, difference.now) for difference in one.diff(other)}

    assert differences == {"epochs": (20, 10), "rate.lr": (0.1, 1.0)}


def test_leaves_are_filtered_and_sorted_as_any_pairs() -> None:
    leaves = compiled("name=x").leaves()

    kept = sorted((key, value) for key, value in leaves if isinstance(value, float))

    assert kept == [("lr", 0.1), ("rate.decay", 0.5), ("rate.lr", 0.1)]


def test_a_value_of_the_section_above_is_asked_for_by_name() -> None:
    config = compiled("rate.lr=${parent.lr}", "lr=0.3")

    assert config.rate.lr == 0.3
    assert "rate.epochs" in refused("rate.lr=${here.epochs}")


class Study(ConfigTemplate):
    epochs: int = 10
    warmup: int = derived(lambda c: c.epochs // 10)

    @model_validator(mode="after")
    def _warmup_ends(self) -> Self:
        if self.warmup >= self.epochs:
            raise ValueError(f"the warmup must end before epoch {self.epochs}")
        return self


def test_what_follows_from_values_is_a_formula_and_what_must_hold_a_check() -> None:
    assert Study.compile(overrides=["epochs=50"]).warmup == 5
    with pytest.raises(ConfigError, match="the warmup must end before epoch 5"):
        Study.compile(overrides=["epochs=5", "warmup=5"])

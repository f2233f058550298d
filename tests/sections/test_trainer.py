import pytest

from typedcfg import ConfigError
from typedcfg.sections.trainer import Trainer


def refusal(*overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        Trainer.compile(overrides=overrides)
    return str(caught.value)


def test_a_training_ends_some_time() -> None:
    assert "the training would never end: set max_epochs or max_steps" in refusal("max_epochs=null")
    assert Trainer.compile(overrides=["max_epochs=null", "max_steps=5"]).params.max_steps == 5


@pytest.mark.parametrize(("text", "value"), [("10", 10), ("1", 1), ("1.0", 1.0), ("0.25", 0.25), ("0", 0)])
def test_a_number_of_batches_and_a_share_are_told_apart(text: str, value: float) -> None:
    found = Trainer.compile(overrides=[f"limit_train_batches={text}"]).params.limit_train_batches

    assert (found, type(found)) == (value, type(value))


def test_one_batch_and_all_batches_are_two_runs() -> None:
    one, every = (Trainer.compile(overrides=[f"limit_train_batches={text}"]) for text in ("1", "1.0"))

    assert one.fingerprint != every.fingerprint


@pytest.mark.parametrize("text", ["-1", "1.5", "all"])
def test_a_share_lies_between_nothing_and_all(text: str) -> None:
    found = refusal(f"limit_val_batches={text}")

    assert found.startswith("limit_val_batches = ")
    assert "problems in" not in found


@pytest.mark.parametrize("key", ["max_epochs", "max_steps", "devices", "accumulate_grad_batches"])
def test_counts_begin_at_one(key: str) -> None:
    assert f"{key} = 0 is wrong" in refusal(f"{key}=0")

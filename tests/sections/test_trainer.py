import pytest

from typedcfg import ConfigError, Experiment, section
from typedcfg.sections.trainer import Trainer


def refusal(*overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        Trainer.compile(overrides=overrides)
    return str(caught.value)


def test_a_training_ends_some_time() -> None:
    assert "the training would never end: set max_epochs, max_steps or max_samples" in refusal("max_epochs=null")


@pytest.mark.parametrize("end", ["max_steps=5", "max_samples=5"])
def test_a_training_that_is_given_another_end_is_not_ended_by_epochs(end: str) -> None:
    assert Trainer.compile(overrides=[end]).params.max_epochs is None
    assert Trainer.compile().params.max_epochs == 10


def test_two_ends_are_refused() -> None:
    text = "max_epochs and max_steps each end the training: set all but one to null"
    assert text in refusal("max_epochs=5", "max_steps=5")
    assert "max_steps and max_samples each end" in refusal("max_steps=5", "max_samples=5")


def test_of_two_ends_the_default_is_named_with_how_to_take_it_back() -> None:
    class Blobs(Experiment):
        trainer: Trainer = section(Trainer, max_epochs=4)

    with pytest.raises(ConfigError) as caught:
        Blobs.compile(overrides=["trainer.max_steps=5"])

    [problem] = caught.value.problems
    assert problem.where.splitlines()[0].endswith("Blobs.trainer (max_epochs)")
    assert problem.where.splitlines()[1] == "overrides[0] (max_steps)"
    assert problem.fix == "trainer.max_epochs=null"
    assert Blobs.compile(overrides=["trainer.max_steps=5", problem.fix]).params.trainer.max_steps == 5


def test_of_two_ends_that_were_both_asked_for_neither_is_preferred() -> None:
    text = refusal("max_epochs=5", "max_steps=5")

    assert "overrides[0] (max_epochs)" in text
    assert "overrides[1] (max_steps)" in text
    assert "fix" not in text


def test_a_trainer_that_knew_no_samples_has_the_fingerprint_that_it_had() -> None:
    known = "v1-0fe123bdbda046d64148a4ef39a8174481c76c06d2782bcca53428cb0f410f8c"

    assert str(Experiment.compile().fingerprint) == known


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


@pytest.mark.parametrize("key", ["max_epochs", "max_steps", "max_samples", "devices", "accumulate_grad_batches"])
def test_counts_begin_at_one(key: str) -> None:
    assert f"{key} = 0 is wrong" in refusal(f"{key}=0")

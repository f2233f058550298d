"""The example that a newcomer runs first does what its README says."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from typedcfg import ConfigError

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits"
BASE, WIDE = EXAMPLE / "base.yaml", EXAMPLE / "wide.yaml"
MODULES = ("experiment", "digits_model", "digits_data")


@pytest.fixture(scope="module")
def digits() -> Iterator[Any]:
    """The example's class, its folder first on the path, as a command loads it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLE)
        yield import_module("experiment").Digits
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.mark.parametrize("files", [(), (BASE,), (WIDE,)], ids=["defaults", "base", "wide"])
def test_it_compiles_from_its_files_and_without(digits: Any, files: tuple[Path, ...]) -> None:
    config = digits.compile(*files)

    assert config.params.data.name == "optdigits"


@pytest.mark.parametrize(("kind", "rate"), [("adamw", 0.02), ("sgd", 0.2)])
def test_the_learning_rate_follows_the_batch_size(digits: Any, kind: str, rate: float) -> None:
    config = digits.compile(WIDE, overrides=[f"optimizer={kind}", "loader.batch_size=256"])

    assert config.params.optimizer.lr == pytest.approx(rate)


def test_the_learning_rate_is_explained_down_to_every_batch_size(digits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLE)
    config = digits.compile("wide.yaml", overrides=["loader.batch_size=256"])

    told = [" ".join(line.split()) for line in config.explain("optimizer.lr").splitlines()]

    assert told[0] == "optimizer.lr = 0.02"
    assert "derived: loader.batch_size / 128 * 0.01" in told[1]
    batch_size = told.index("reads loader.batch_size = 256")
    assert told[batch_size + 1 : batch_size + 5] == [
        "wins 256 overrides[0]",
        f"over 128 wide.yaml:{_place(WIDE, 'batch_size')}",
        f"over 64 base.yaml:{_place(BASE, 'batch_size')}",
        "over 128 default of Loader.batch_size",
    ]


def test_the_wide_run_is_named_by_a_reference(digits: Any) -> None:
    assert digits.compile(WIDE).params.run.run_name == "wide-256"


def test_a_network_of_another_kind_keeps_its_own_width(digits: Any) -> None:
    config = digits.compile(WIDE, overrides=["model=cnn"])

    assert config.params.model.width == 24


def test_reading_ahead_is_no_other_run_and_another_split_is(digits: Any) -> None:
    config, ahead, split = (
        digits.compile(BASE, overrides=overrides) for overrides in ([], ["loader.num_workers=2"], ["data.split_seed=1"])
    )

    assert ahead.fingerprint == config.fingerprint != split.fingerprint


def test_a_share_that_leaves_nothing_to_train_on_is_refused(digits: Any) -> None:
    with pytest.raises(ConfigError, match=r"data\.val_share = 0\.5"):
        digits.compile(BASE, overrides=["data.val_share=0.5"])


@pytest.mark.parametrize("ask", ["Digits.help()", "Digits.compile('wide.yaml').explain('optimizer.lr')"])
def test_asking_imports_nothing_that_trains(ask: str) -> None:
    heavy = {"torch", "lightning", "torchmetrics", "sklearn", "numpy"}
    code = f"import sys; from experiment import Digits; {ask}; print(sorted({heavy} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], cwd=EXAMPLE, capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_the_splits_share_no_digit_and_leave_none_out(digits: Any) -> None:
    data = digits.compile(BASE).params.build_data()
    data.setup("fit")

    parts = [data.train.indices, data.val.indices, data.test.indices]

    assert [len(part) for part in parts] == [1257, 270, 270]
    assert sorted(index for part in parts for index in part) == list(range(1797))


def test_each_split_has_the_same_mix_of_the_ten(digits: Any) -> None:
    data = digits.compile(BASE).params.build_data()
    data.setup("fit")

    counts = [sum(int(label) == digit for _, label in data.val) for digit in range(10)]

    assert max(counts) - min(counts) <= 2


def test_other_digits_than_the_configured_are_refused(digits: Any) -> None:
    data = digits.compile(BASE, overrides=["data.sha256=0000"]).params.build_data()

    with pytest.raises(ValueError, match=r"data\.sha256 is 0000, and scikit-learn's have 87ff"):
        data.setup("fit")


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu"])
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_every_network_that_can_be_declared_can_be_built(digits: Any, model: str, activation: str) -> None:
    import torch

    params = digits.compile(overrides=[f"model={model}", f"model.activation={activation}", "model.depth=4"]).params

    assert params.build_model()(torch.zeros(3, 1, 8, 8)).shape == (3, 10)


def test_one_seed_makes_one_model(digits: Any) -> None:
    import torch

    params = digits.compile(BASE).params
    weights = []
    for _ in range(2):
        torch.manual_seed(params.run.seed)
        weights.append(params.build_model().network[1].weight)

    assert torch.equal(*weights)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "optimizer"), [("mlp", "adamw"), ("cnn", "sgd")])
def test_it_learns_the_digits(digits: Any, model: str, optimizer: str) -> None:
    params = digits.compile(BASE, overrides=[f"model={model}", f"optimizer={optimizer}"]).params

    measured = _train(params, epochs=params.trainer.max_epochs)

    assert measured["val/accuracy"] >= 0.95
    assert measured["test/accuracy"] >= 0.95


def test_an_epoch_counts_every_digit_once_in_unequal_batches(digits: Any) -> None:
    params = digits.compile(overrides=["loader.batch_size=64"]).params

    accuracy = _train(params, epochs=1)["val/accuracy"]

    # 270 digits in batches of 64 leave one of 14: a mean over batches would be no multiple of 1/270.
    assert accuracy * 270 == pytest.approx(round(accuracy * 270), abs=1e-3)


def _place(file: Path, key: str) -> str:
    """Where a key stands in a file: `line:column`."""
    lines = file.read_text().splitlines()
    number, line = next((n, line) for n, line in enumerate(lines, 1) if line.strip().startswith(f"{key}:"))
    return f"{number}:{line.index(key) + 1}"


def _train(params: Any, *, epochs: int) -> dict[str, float]:
    """Train and test with Lightning alone, on one CPU."""
    import torch
    from lightning.pytorch import Trainer

    from typedcfg.runner.lightning.quiet import quiet

    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    torch.manual_seed(params.run.seed)
    with quiet():
        trainer = Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        model, data = params.build_model(), params.build_data()
        trainer.fit(model, data)
        measured = dict(trainer.callback_metrics)
        trainer.test(model, data, verbose=False)
    return {name: float(value) for name, value in {**measured, **trainer.callback_metrics}.items()}

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from typedcfg.errors import RecordError, RunError
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.export import export_weights
from typedcfg.runner.lightning.pretrained import Loaded, load_pretrained


class Net(nn.Module):
    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.body = nn.Linear(2, width)
        self.head = nn.Linear(width, 1)


class Renamed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(2, 3)
        self.heads = nn.Linear(3, 1)


@pytest.fixture
def trained() -> Net:
    return Net()


@pytest.fixture
def checkpoint(tmp_path: Path, trained: Net) -> Path:
    current = {"ready": 1, "processed": 1}
    loop = {"epoch_progress": {"current": current}, "epoch_loop.batch_progress": {"current": current}}
    state: dict[str, Any] = {"global_step": 4, "loops": {"fit_loop": loop}, "state_dict": trained.state_dict()}
    VerifiedCheckpointIO().save_checkpoint(state, tmp_path / "step-00000004.ckpt")
    return tmp_path / "step-00000004.ckpt"


def is_same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_a_model_gets_the_weights_of_a_checkpoint(checkpoint: Path, trained: Net) -> None:
    assert load_pretrained(model := Net(), checkpoint) == Loaded()

    assert is_same(model, trained)


def test_weights_come_from_other_files_too(tmp_path: Path, checkpoint: Path, trained: Net) -> None:
    export_weights(checkpoint, tmp_path / "a.safetensors")
    torch.save(trained.state_dict(), tmp_path / "a.pt")

    for name in ("a.safetensors", "a.pt"):
        load_pretrained(model := Net(), tmp_path / name)
        assert is_same(model, trained)


def test_what_does_not_match_is_named_and_nothing_is_loaded(checkpoint: Path) -> None:
    model = Renamed()
    before = model.body.weight.clone()

    with pytest.raises(RecordError, match=r"the weights in step-00000004\.ckpt are not the model's") as caught:
        load_pretrained(model, checkpoint)

    told = [problem.what for problem in caught.value.problems[1:]]
    assert told == ["head.* in the file may be heads.* in the model: 2 weights"]
    assert torch.equal(model.body.weight, before)


def test_a_weight_that_may_have_had_another_name_is_suggested(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(1, 2), "bais": torch.ones(1)}, tmp_path / "a.pt")

    with pytest.raises(RecordError) as caught:
        load_pretrained(nn.Linear(2, 1), tmp_path / "a.pt")

    told = [(problem.what, problem.suggestion) for problem in caught.value.problems[1:]]
    assert told == [("bias is in the model alone", "bais"), ("bais is in the file alone", "bias")]


@pytest.mark.parametrize("strict", [True, False])
def test_where_nothing_can_be_loaded_that_is_an_error(strict: bool, tmp_path: Path, trained: Net) -> None:  # noqa: FBT001  # pytest gives it so
    torch.save({f"net.{name}": value for name, value in trained.state_dict().items()}, tmp_path / "a.pt")

    with pytest.raises(RecordError) as caught:
        load_pretrained(Net(), tmp_path / "a.pt", strict=strict)

    whole, renamed = (problem.what for problem in caught.value.problems)
    assert whole == "the weights in a.pt are not the model's: nothing was loaded"
    assert renamed == "net.* in the file may be * in the model: 4 weights"


def test_of_many_weights_that_do_not_match_a_few_are_told(tmp_path: Path, trained: Net) -> None:
    others = {f"other{number}": torch.ones(1) for number in range(9)}
    torch.save({**trained.state_dict(), **others}, tmp_path / "a.pt")

    with pytest.raises(RecordError, match=r"\.\.\. and 4 more like these") as caught:
        load_pretrained(Net(), tmp_path / "a.pt")

    assert len(caught.value.problems) == 1 + 5 + 1


def test_what_both_have_is_loaded_when_that_is_asked_for(checkpoint: Path, trained: Net) -> None:
    model = Renamed()

    found = load_pretrained(model, checkpoint, strict=False)

    assert found == Loaded(("heads.bias", "heads.weight"), ("head.bias", "head.weight"))
    assert torch.equal(model.body.weight, trained.body.weight)


def test_weights_of_another_shape_are_never_loaded(checkpoint: Path) -> None:
    with pytest.raises(RecordError, match=r"head\.weight is \[1, 3\] in the file and \[1, 5\] in the model"):
        load_pretrained(Net(width=5), checkpoint)


def test_another_head_keeps_its_weights_and_is_warned_of(
    checkpoint: Path, trained: Net, caplog: pytest.LogCaptureFixture
) -> None:
    model = Net()
    model.head = nn.Linear(3, 2)
    before = model.head.weight.clone()

    found = load_pretrained(model, checkpoint, strict=False)

    assert found == Loaded(reshaped=("head.bias", "head.weight"))
    assert "left there as they are: head.bias, head.weight" in caplog.text
    assert torch.equal(model.head.weight, before)
    assert torch.equal(model.body.weight, trained.body.weight)


def test_a_checkpoint_that_nothing_vouches_for_is_not_loaded(tmp_path: Path, checkpoint: Path, trained: Net) -> None:
    torch.save({"state_dict": trained.state_dict()}, tmp_path / "step-00000008.ckpt")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])

    for name in ("step-00000008.ckpt", checkpoint.name):
        with pytest.raises(RecordError, match="is damaged"):
            load_pretrained(Net(), tmp_path / name)


@pytest.mark.parametrize("content", [[1, 2], {"weights": 1}, {}])
def test_a_file_without_weights_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pt")

    with pytest.raises(RecordError, match=r"a\.pt holds no weights"):
        load_pretrained(Net(), tmp_path / "a.pt")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"there is no checkpoint a\.ckpt"):
        load_pretrained(Net(), tmp_path / "a.ckpt")

    (tmp_path / "best.ckpt").touch()
    with pytest.raises(RecordError, match=r"expected +a checkpoint, a state_dict(.|\n)*did you mean .*/best\.ckpt"):
        load_pretrained(Net(), tmp_path / "bst.ckpt")


def test_what_is_no_checkpoint_is_told_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import torch")

    with pytest.raises(RunError, match=r"train\.py is no checkpoint\n  expected +a checkpoint"):
        load_pretrained(Net(), tmp_path / "train.py")


def test_a_file_that_torch_saved_in_its_old_way_is_read(tmp_path: Path) -> None:
    torch.save(Net().state_dict(), tmp_path / "a.bin", _use_new_zipfile_serialization=False)

    assert not any(load_pretrained(Net(), tmp_path / "a.bin"))

from typedcfg.sections.scaling import batch_size_equivalent, scale_lr
from typedcfg.sections.trainer import Trainer


def test_a_step_holds_the_batches_of_all_devices() -> None:
    assert batch_size_equivalent(32, Trainer()) == 32
    assert batch_size_equivalent(32, Trainer(devices=2, accumulate_grad_batches=3)) == 192


def test_a_rate_grows_with_the_step() -> None:
    assert scale_lr(0.1, 256, Trainer()) == 0.1
    assert scale_lr(0.1, 64, Trainer(), base=128) == 0.05

import copy
from collections.abc import Callable

from lightning.pytorch import LightningModule

from typedcfg.runner.lightning.callbacks.followed import Followed, follow, put_back


def noting(toy: Callable[[], LightningModule], notes: list[str]) -> LightningModule:
    module = toy()
    module.on_train_start = lambda: notes.append("own")  # type: ignore[method-assign]  # as some do
    return module


def test_what_follows_comes_after_the_modules_hook_until_that_is_put_back(toy: Callable[[], LightningModule]) -> None:
    notes: list[str] = []
    module = noting(toy, notes)

    follow(module, "on_train_start", lambda: notes.append("then"))
    module.on_train_start()
    put_back(module, "on_train_start")
    module.on_train_start()

    assert notes == ["own", "then", "own"]


def test_a_copy_of_the_module_has_its_own_hook_alone(toy: Callable[[], LightningModule]) -> None:
    follow(module := toy(), "on_train_start", print)

    assert not isinstance(copy.deepcopy(module).on_train_start, Followed)

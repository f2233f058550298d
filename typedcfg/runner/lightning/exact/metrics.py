"""What an epoch has measured so far: Lightning's running means and torchmetrics' states are in no checkpoint."""

import builtins
from typing import Any, Final, TypedDict

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.trainer.connectors.logger_connector.result import _Metadata, _ResultMetric, _Sync
from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.wrappers import MetricTracker

from typedcfg.runner.lightning.exact.owners import others

_META: Final = (
    "fx",
    "name",
    "prog_bar",
    "logger",
    "on_step",
    "on_epoch",
    "enable_graph",
    "add_dataloader_idx",
    "dataloader_idx",
    "metric_attribute",
)
"""How a metric was logged; it must be logged in the same way when it is logged again."""
_NUMBERS: Final = (bool, int, float, complex, type(None))
_TENSORS: Final = ("value", "cumulated_batch_size", "_forward_cache")


class _Logged(TypedDict):
    meta: dict[str, Any]
    reduce: str
    """`torch.mean`, or `builtins.sum`: a user may name either."""
    is_synced: bool
    is_of_rank_zero: bool
    has_reset: bool
    updates: int
    tensors: dict[str, Tensor]


class MetricStates(TypedDict):
    """What one rank has measured."""

    logged: dict[str, _Logged]
    """Of the running epoch, by Lightning's key."""
    last: dict[str, Tensor]
    """The latest values of all that was logged, which schedulers and callbacks look up."""
    shown: dict[str, Tensor]
    """The latest values that went to loggers."""
    trackers: dict[str, int]
    """How many metrics each `MetricTracker` has made so far."""
    modules: dict[str, dict[str, Any]]
    """States of the model's own metrics, and of its data module's and callbacks', by name."""
    ended: list[str]
    """Metrics that Lightning resets behind the checkpoint."""


def capture_metrics(trainer: Trainer, module: LightningModule, *, is_within_epoch: bool) -> MetricStates:
    """What was measured until now."""
    results = trainer.fit_loop.epoch_loop._results  # noqa: SLF001  # in no other place
    last = {name: _kept(value) for name, value in trainer.callback_metrics.items()}
    logged = {key: _logged(result) for key, result in results.items() if result.meta.sync.group is None}
    metrics = _metrics_of(trainer, module)
    # Lightning resets those that were logged after the hooks of an epoch's end.
    ended = set() if is_within_epoch else {id(result.value) for result in results.values() if not result.is_tensor}
    return {
        "logged": logged if is_within_epoch else {},
        "last": last,
        "shown": {name: _kept(value) for name, value in trainer.logged_metrics.items()},
        "trackers": {name: tracker.n_steps for name, tracker in _trackers_of(module)},
        "modules": {name: _states(metric) for name, metric in metrics.items()},
        "ended": [name for name, metric in metrics.items() if id(metric) in ended],
    }


def show_metrics(saved: MetricStates, trainer: Trainer, module: LightningModule) -> None:
    """Show what was measured last, before callbacks start that take what is there for old."""
    connector = trainer._logger_connector  # noqa: SLF001  # in no other place
    connector._callback_metrics.update(_moved(saved["last"], module.device))  # noqa: SLF001  # as above
    connector._logged_metrics.update(_moved(saved["shown"], module.device))  # noqa: SLF001  # as above


def restore_metrics(saved: MetricStates, trainer: Trainer, module: LightningModule) -> None:
    """Go on measuring from what was measured."""
    metrics = _restored(saved, trainer, module)
    if saved["logged"]:
        # Otherwise the next batch counts as the epoch's first, before which Lightning resets what was logged.
        trainer._logger_connector._first_loop_iter = False  # noqa: SLF001  # in no other place
    for key, logged in saved["logged"].items():
        result = _result(logged, trainer)
        attribute = result.meta.metric_attribute
        if not result.is_tensor:
            if attribute not in metrics:
                continue
            result.value = metrics[attribute]
        trainer.fit_loop.epoch_loop._results[key] = result.to(module.device)  # noqa: SLF001  # as above


def _restored(saved: MetricStates, trainer: Trainer, module: LightningModule) -> dict[str, Metric]:
    """All metrics, as they were."""
    for name, tracker in _trackers_of(module):
        for _ in range(saved["trackers"].get(name, 0) - tracker.n_steps):
            tracker.increment()
    metrics = _metrics_of(trainer, module)
    for name in saved["modules"].keys() & metrics.keys():
        metric, state = metrics[name], saved["modules"][name]
        metric._update_count = state["updates"]  # noqa: SLF001  # what `reset` and `update` keep
        for attribute, value in state["states"].items():
            setattr(metric, attribute, _moved(value, metric.device))
    for name in saved["ended"]:
        if name in metrics:
            metrics[name].reset()
    return metrics


def _logged(result: _ResultMetric) -> _Logged:
    reduce = result.meta.reduce_fx
    where = "builtins" if getattr(builtins, reduce.__name__, None) is reduce else "torch"
    values = {name: getattr(result, name, None) for name in _TENSORS}
    return {
        "meta": {name: getattr(result.meta, name) for name in _META},
        "reduce": f"{where}.{reduce.__name__}",
        "is_synced": result.meta.sync.should,
        "is_of_rank_zero": result.meta.sync.rank_zero_only,
        "has_reset": result.has_reset,
        "updates": result._update_count,  # noqa: SLF001  # in no other place
        "tensors": {name: _kept(value) for name, value in values.items() if isinstance(value, Tensor)},
    }


def _result(logged: _Logged, trainer: Trainer) -> _ResultMetric:
    where, _, name = logged["reduce"].partition(".")
    meta = _Metadata(**logged["meta"], reduce_fx=getattr({"torch": torch, "builtins": builtins}[where], name))
    meta.sync = _Sync(_should=logged["is_synced"], fn=trainer.strategy.reduce, rank_zero_only=logged["is_of_rank_zero"])
    result = _ResultMetric(meta, is_tensor="value" in logged["tensors"])
    result.has_reset = logged["has_reset"]
    result._update_count = logged["updates"]  # noqa: SLF001  # in no other place
    for attribute, value in logged["tensors"].items():
        setattr(result, attribute, value)
    return result


def _states(metric: Metric) -> dict[str, Any]:
    """What it has gathered; numbers and tensors among its attributes too, in which wrappers count and compare."""
    names = [name for name, value in vars(metric).items() if type(value) in _NUMBERS or isinstance(value, Tensor)]
    states = {name: getattr(metric, name) for name in (*names, *metric._defaults)}  # noqa: SLF001  # in no other place
    del states["training"]
    return {"updates": metric._update_count, "states": {name: _kept(value) for name, value in states.items()}}  # noqa: SLF001  # as above


def _metrics_of(trainer: Trainer, module: LightningModule) -> dict[str, Metric]:
    found = {name: part for name, part in module.named_modules() if isinstance(part, Metric)}
    for owner, holder in others(trainer).items():
        for name, value in vars(holder).items():
            if isinstance(value, (Metric, MetricCollection)):
                parts = value.named_modules(prefix=f"{owner}.{name}")
                found |= {path: part for path, part in parts if isinstance(part, Metric)}
    return found


def _trackers_of(module: LightningModule) -> list[tuple[str, MetricTracker]]:
    return [(name, part) for name, part in module.named_modules() if isinstance(part, MetricTracker)]


def _kept(value: Any) -> Any:
    """A copy that training does not change: in lists too, which some metrics collect."""
    if isinstance(value, list):
        return [_kept(item) for item in value]
    return value.detach().cpu().clone() if isinstance(value, Tensor) else value


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, dict):
        return {name: _moved(item, device) for name, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, device) for item in value]
    return value.to(device) if isinstance(value, Tensor) else value

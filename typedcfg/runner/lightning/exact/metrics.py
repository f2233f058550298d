"""What an epoch has measured so far: Lightning's running means and torchmetrics' states are in no checkpoint."""

import builtins
from typing import Any, Final, TypedDict

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.trainer.connectors.logger_connector.result import _Metadata, _ResultMetric, _Sync
from torch import Tensor
from torchmetrics import Metric

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
    modules: dict[str, dict[str, Any]]
    """States of the module's own metrics, by name."""


def capture_metrics(trainer: Trainer, module: LightningModule, *, is_within_epoch: bool) -> MetricStates:
    """What was measured until now."""
    results = trainer.fit_loop.epoch_loop._results  # noqa: SLF001  # in no other place
    last = {name: _kept(value) for name, value in trainer.callback_metrics.items()}
    logged = {key: _logged(result) for key, result in results.items() if result.meta.sync.group is None}
    # Lightning resets those that were logged after the hooks of an epoch's end.
    ended = set() if is_within_epoch else {id(result.value) for result in results.values() if not result.is_tensor}
    modules = {name: _states(metric) for name, metric in _metrics_of(module).items() if id(metric) not in ended}
    return {"logged": logged if is_within_epoch else {}, "last": last, "modules": modules}


def restore_metrics(saved: MetricStates, trainer: Trainer, module: LightningModule) -> None:
    """Go on measuring from what was measured."""
    metrics = _metrics_of(module)
    for name, state in saved["modules"].items():
        if name in metrics:
            metrics[name]._update_count = state["updates"]  # noqa: SLF001  # what `reset` and `update` keep
            for attribute, value in state["states"].items():
                setattr(metrics[name], attribute, _moved(value, module.device))
    connector = trainer._logger_connector  # noqa: SLF001  # in no other place
    connector._callback_metrics.update(_moved(saved["last"], module.device))  # noqa: SLF001  # as above
    if saved["logged"]:
        # Otherwise the next batch counts as the epoch's first, before which Lightning resets what was logged.
        connector._first_loop_iter = False  # noqa: SLF001  # as above
    for key, logged in saved["logged"].items():
        result = _result(logged, trainer)
        attribute = result.meta.metric_attribute
        if not result.is_tensor:
            if attribute not in metrics:
                continue
            result.value = metrics[attribute]
        trainer.fit_loop.epoch_loop._results[key] = result.to(module.device)  # noqa: SLF001  # as above


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
    states = {name: _kept(getattr(metric, name)) for name in metric._defaults}  # noqa: SLF001  # in no other place
    return {"updates": metric._update_count, "states": states}  # noqa: SLF001  # as above


def _metrics_of(module: LightningModule) -> dict[str, Metric]:
    return {name: part for name, part in module.named_modules() if isinstance(part, Metric)}


def _kept(value: Any) -> Any:
    """A copy that training does not change: in lists too, which some metrics collect."""
    return [_kept(item) for item in value] if isinstance(value, list) else value.detach().cpu().clone()


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, dict):
        return {name: _moved(item, device) for name, item in value.items()}
    return [_moved(item, device) for item in value] if isinstance(value, list) else value.to(device)

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.errors import RunError
from typedcfg.runner.lightning.means import Means, joined, mean_of, returned_metrics

VALUES = st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 64)), min_size=1, max_size=130)


def means_of(values: list[tuple[float, int]]) -> Means:
    means = Means()
    for value, weight in values:
        means.add({"loss": torch.tensor(value, dtype=torch.float64)}, weight)
    return means


@given(values=VALUES)
def test_a_mean_is_weighted(values: list[tuple[float, int]]) -> None:
    expected = math.fsum(value * weight for value, weight in values) / sum(weight for _, weight in values)

    assert mean_of([means_of(values).totals()])["loss"] == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(values=VALUES, data=st.data())
def test_it_makes_no_difference_when_values_are_looked_at(values: list[tuple[float, int]], data: st.DataObject) -> None:
    whole = means_of(values).totals()
    saved_after = data.draw(st.integers(0, len(values)))

    resumed = Means(means_of(values[:saved_after]).totals())
    for value, weight in values[saved_after:]:
        resumed.add({"loss": torch.tensor(value, dtype=torch.float64)}, weight)

    assert resumed.totals() == whole


def test_ranks_count_by_what_they_saw() -> None:
    first, second = Means(), Means()
    first.add({"accuracy": 1.0, "only/here": 2}, 3)
    second.add({"accuracy": torch.tensor([0.0])}, 1)

    assert mean_of([first.totals(), second.totals()]) == {"accuracy": 0.75, "only/here": 2.0}
    assert joined([first.totals(), second.totals()])["accuracy"] == (3.0, 4)


def test_batches_without_samples_have_no_mean() -> None:
    means = Means()
    means.add({"accuracy": 1.0}, 0)

    assert mean_of([means.totals()]) == {}


def test_no_number_is_no_metric() -> None:
    with pytest.raises(RunError, match=r"the metric logits that a step returned is a tensor of shape \(4, 2\)"):
        Means().add({"logits": torch.zeros(4, 2)}, 1)


@pytest.mark.parametrize(
    ("outputs", "metrics"), [(None, {}), (torch.tensor(1.0), {}), ({"loss": 1}, {}), ({"metrics": {"a": 1}}, {"a": 1})]
)
def test_a_step_may_return_metrics(outputs: object, metrics: object) -> None:
    assert returned_metrics(outputs) == metrics


def test_what_is_kept_holds_no_graph() -> None:
    loss = torch.ones(1, requires_grad=True) * 2

    assert not returned_metrics({"metrics": {"loss": loss}})["loss"].requires_grad  # type: ignore[union-attr]


def test_metrics_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(RunError, match="a step returned metrics that are a list"):
        returned_metrics({"metrics": [1.0]})

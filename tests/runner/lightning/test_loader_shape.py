import pytest

from typedcfg import Experiment
from typedcfg.errors import RunError
from typedcfg.runner.extent import LoaderShape
from typedcfg.runner.lightning.loader_shape import loader_shape


def test_a_loader_tells_how_it_is_cut(tiny: type[Experiment]) -> None:
    experiment = tiny.compile().params

    assert [loader_shape(experiment, split) for split in ("train", "test")] == [LoaderShape(4, 4), LoaderShape(4, 2)]


def test_a_split_that_there_is_not_is_refused_with_those_that_there_are(tiny: type[Experiment]) -> None:
    with pytest.raises(RunError, match=r"no split 'predict'(.|\n)*train, val, test"):
        loader_shape(tiny.compile().params, "predict")

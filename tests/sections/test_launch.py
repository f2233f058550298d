from collections.abc import Mapping

import pytest

from typedcfg import ConfigError
from typedcfg.sections.launch import SlurmLaunch


@pytest.mark.parametrize(
    "asked",
    [
        {"partition": "gpu"},
        {"partition": "gpu-a100,long_1"},
        {"account": "vision.lab+2"},
        {"mem": "64G"},
        {"mem": "0"},
        {"mem": "2048k"},
        {"gres": "gpu"},
        {"gres": "gpu:4"},
        {"gres": "gpu:a100_80g:4,shard:1"},
        {"gres": "gres/gpu:2"},
        {"lead_time": "18:12:15"},
        {"lines": ["#SBATCH --comment='two words'", "export NAME='a b'"]},
    ],
)
def test_what_slurm_takes_is_taken(asked: Mapping[str, object]) -> None:
    assert SlurmLaunch.compile(overrides=asked).params.submit


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"partition": "a b"}, "a name of letters, digits and . _ + @ -, or several with commas between"),
        ({"partition": "a\nrm -rf x"}, "a name of letters, digits"),
        ({"partition": ""}, "a name of letters, digits"),
        ({"partition": "a,"}, "a name of letters, digits"),
        ({"account": "a,b"}, "a name of letters, digits and . _ + @ -"),
        ({"account": "a #"}, "a name of letters, digits"),
        ({"account": "a\n"}, "a name of letters, digits"),
        ({"mem": "lots"}, "a whole number with K, M, G or T behind it, or none for M"),
        ({"mem": "-1"}, "a whole number"),
        ({"mem": "1.5G"}, "a whole number"),
        ({"mem": "64 G"}, "a whole number"),
        ({"gres": "gpu 4"}, "name:type:number"),
        ({"gres": "gpu:"}, "name:type:number"),
        ({"gres": "gpu:4,"}, "name:type:number"),
        ({"time": "30"}, "duration or null, x >= 0:01:00"),
        ({"cpus_per_task": 0}, "x >= 1"),
        ({"lead_time": "18:12:16"}, "18:12:15"),
        ({"lines": ["#SBATCH --qos=high\nrm -rf x"]}, "a text of one line"),
    ],
)
def test_what_slurm_would_not_take_is_refused(asked: Mapping[str, object], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SlurmLaunch.compile(overrides=asked)

    assert expected in str(caught.value)

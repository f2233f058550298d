import pytest

from typedcfg import ConfigError, ConfigTemplate
from typedcfg.sections.run import Run, Score


def refusal(template: type[ConfigTemplate], *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        template.compile(overrides=overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "is_higher_better"),
    [([], False), (["metric=accuracy", "mode=max"], True), (["metric=error", "mode=min"], False), (["mode=max"], True)],
)
def test_a_score_says_which_way_is_better(overrides: list[str], is_higher_better: bool) -> None:  # noqa: FBT001
    assert Score.compile(overrides=overrides).params.is_higher_better is is_higher_better


def test_only_a_loss_is_known_to_be_better_when_lower() -> None:
    text = refusal(Run, "score.metric=accuracy")

    assert text.startswith(
        "score: nothing says whether a higher or a lower accuracy is better: set run.score.mode=max "
    )
    assert "overrides[0]" in text


@pytest.mark.parametrize("name", ["", "a", "lr=0.1-bs_2", "A" * 40])
def test_a_name_is_part_of_a_folders_name(name: str) -> None:
    assert Run.compile(overrides={"run_name": name}).params.run_name == name


@pytest.mark.parametrize("name", ["a/b", "..\\x", "a b", "A" * 41, "ä"])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(
        ConfigError, match=r"run_name = (.|\n)*expected +text of at most 40 letters, digits and . _ = -"
    ):
        Run.compile(overrides={"run_name": name})


@pytest.mark.parametrize("key", ["project_root", "config_root"])
def test_a_folder_that_no_system_takes_is_refused_where_it_is_said(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"{key}: a path without a NUL character(.|\n)*overrides\['{key}'\]"):
        Run.compile(overrides={key: "a\0b"})


@pytest.mark.parametrize("seed", ["-1", str(2**32), "1.5"])
def test_a_seed_is_one_that_every_generator_takes(seed: str) -> None:
    assert f"seed = {seed} is wrong" in refusal(Run, f"seed={seed}")

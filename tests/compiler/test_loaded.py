"""Files without their templates."""

import copy
import json
import pickle
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from typedcfg import Config, ConfigTemplate
from typedcfg.errors import ConfigError, RecordError, UnsupportedValue
from typedcfg.identity.fingerprint import Fingerprint

RUN_UUID = UUID("9f3a1784-aaaa-5bbb-8ccc-0123456789ab")
FINGERPRINT = f"v1-{'a' * 64}"
FORMATS = (".yaml", ".yml", ".json", ".toml")


class Loader(ConfigTemplate):
    batch_size: int = 128


class Params(ConfigTemplate):
    loader: Loader
    lr: float = 0.1


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(text: str, name: str = "a.yaml") -> Config[Any]:
    Path(name).write_text(text, encoding="utf-8")
    return Config.load(name)


def run_folder(config: str = "$version: 1\nlr: 0.5\n", *, name: str = "digits-wide") -> Path:
    """A run's folder as far as anything is read of it."""
    folder = Path("experiments", f"{name}-xxxxxxxx9f3a1784")
    folder.mkdir(parents=True)
    (folder / "run.yaml").write_text(config, encoding="utf-8")
    identity = {
        "run_uuid": str(RUN_UUID),
        "run_id": RUN_UUID.hex,
        "id": "xxxxxxxx9f3a1784",
        "uuid": str(UUID(int=1)),
        "name": "digits-wide",
        "experiment_id": "x" * 16,
        "experiment_uuid": str(UUID(int=2)),
        "code_uuid": str(UUID(int=3)),
        "fingerprint": FINGERPRINT,
        "canonical_version": 1,
    }
    template = {"qualname": "Digits", "module": "__main__", "path": None, "absolute_path": "/digits.py"}
    score = {"metric": "loss", "mode": "min", "split": None}
    record = {"identity": identity, "template": template, "argv": [], "app": None, "score": score, "status": "done"}
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "lr: 0.1\nloader: {batch_size: 3}\n"),
        ("a.json", '{"lr": 0.1, "loader": {"batch_size": 3}}'),
        ("a.toml", "lr = 0.1\n[loader]\nbatch_size = 3\n"),
    ],
)
def test_a_file_of_each_format_is_loaded(name: str, text: str) -> None:
    config = loaded(text, name)

    assert config.plain() == {"lr": 0.1, "loader": {"batch_size": 3}}
    assert config["loader.batch_size"] == config.loader.batch_size == 3
    assert config.origin("lr").startswith(name)
    assert str(config.fingerprint).startswith("untyped-v1-")


def test_a_file_stands_above_what_it_extends_and_says_where_values_lie() -> None:
    Path("base.yaml").write_text("lr: 0.1\nloader: {batch_size: 3, workers: 2}\n", encoding="utf-8")

    config = loaded("$extends: base.yaml\nloader: {batch_size: 4}\n")

    assert config["loader"].plain() == {"batch_size": 4, "workers": 2}
    assert config.origin("loader.batch_size") == config.loader.origin("batch_size") == "a.yaml:2:10"
    assert "over      3  base.yaml:2:10" in config.explain("loader.batch_size")
    assert "loader.workers    = 2    base.yaml:2:25" in config.explain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${lr}", 0.5),
        ("${root.lr * 2}", 1.0),
        ("${here.beside}", 7),
        ("${parent.lr}", 0.5),
        ("${parent.parent.lr}", None),
        ("lr-${lr}", "lr-0.5"),
        ("$${lr}", "${lr}"),
    ],
)
def test_references_mean_what_they_mean_with_a_template(text: str, value: object) -> None:
    written = f'lr: 0.5\nloader: {{beside: 7, x: "{text}"}}\n'

    if value is None:
        with pytest.raises(ConfigError, match="climbs above"):
            loaded(written)
    else:
        assert loaded(written)["loader.x"] == value


def test_a_mapping_in_a_list_is_a_section_too() -> None:
    config = loaded('lr: 0.5\nlayers: [{width: 3, half: "${here.width / 2}", lr: "${parent.lr}"}]\n')

    assert config["layers"] == [{"width": 3, "half": 1.5, "lr": 0.5}]


def test_a_copied_mapping_is_explained_by_its_reference() -> None:
    config = loaded('loader: {workers: 2}\nother: "${loader}"\n')

    assert config["other.workers"] == 2
    assert config.origin("other.workers") == "${loader}  <- a.yaml:2:1"
    assert "reads     loader = {workers: 2}" in config.explain("other.workers")


@pytest.mark.parametrize("key", ["model_extra", "__class__", "items", "params", "", "1", "a.b", "load", "$own"])
def test_any_text_is_a_key(key: str) -> None:
    config = loaded(json.dumps({f"${key}" if key.startswith("$") else key: {"x": 3}}), "a.json")

    assert {**config[key]} == {"x": 3}
    assert config.plain() == {key: {"x": 3}}
    assert config.to_yaml(origins=True).count("a.json:1:") == 1


def test_it_is_frozen_pickled_and_copied() -> None:
    config = loaded('lr: 0.5\nloader: {x: "${lr}"}\n')

    again = pickle.loads(pickle.dumps(config))

    assert again == config
    assert again.explain("loader.x") == config.explain("loader.x")
    assert pickle.loads(pickle.dumps(config.loader)).origin("x") == config.origin("loader.x")
    assert copy.deepcopy(config) is config


def test_what_is_merged_or_changed_goes_on_from_the_values() -> None:
    config = loaded('lr: 0.5\nhalf: "${lr / 2}"\n')
    with config.unlocked() as draft:
        draft.lr = 0.1

    assert draft.lock()["half"] == config.merge({"lr": 1}).half == 0.25
    assert config.merge({"lr": 1}).origin("half") == config.origin("half") == "${lr / 2}  <- a.yaml:2:1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lr: [", "a.yaml:2:1"),
        ("lr: ${nowhere}", "leads nowhere"),
        ("- 1", "a mapping"),
        ("$extends: b.yaml", "no file"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        loaded(text)


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match=r"no file 'nope\.yaml'\n  at            Config\.load"):
        Config.load("nope.yaml")


# --- saved files and runs -------------------------------------------------------------------------------------------


def test_the_version_of_a_saved_file_is_told_and_no_value() -> None:
    config = loaded("$version: 3\nlr: 0.5\n")

    assert config.plain() == {"lr": 0.5}
    assert config.notes == ("a.yaml was saved by version 3 of its schema, and its values are as they were then",)


def test_a_typed_configuration_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    config = Params.compile(overrides=["loader.batch_size=256"])
    config.save(tmp_path / "saved.yaml")

    assert Config.load(tmp_path / "saved.yaml").plain() == config.plain()
    assert Params.load(tmp_path / "saved.yaml") == config


def test_a_run_has_the_identity_that_was_recorded() -> None:
    folder = run_folder()

    for config in (
        Config.load(folder),
        Config.load(folder / "run.yaml"),
        pickle.loads(pickle.dumps(Config.load(folder))),
    ):
        assert config.run_uuid == config.identity.run_uuid == RUN_UUID
        assert (config.identity.id, config.identity.name) == ("xxxxxxxx9f3a1784", "digits-wide")
        assert config.fingerprint == Fingerprint.parse(FINGERPRINT)
        assert config["lr"] == 0.5


def test_what_is_made_of_a_run_is_no_run() -> None:
    config = Config.load(run_folder("lr: 0.5\nloader: {x: 1}\n"))

    assert config.loader.run_uuid == RUN_UUID
    assert config.loader.fingerprint.is_untyped
    assert config.merge({}).fingerprint.is_untyped
    with pytest.raises(ConfigError, match="is no run"):
        _ = config.merge({}).run_uuid


def test_what_differs_between_runs_of_one_fingerprint_is_not_in_the_identity() -> None:
    one, other = Config.load(run_folder("workers: 2\n")), Config.load(run_folder("workers: 4\n", name="digits-deep"))

    [difference] = one.diff(other)

    assert not difference.is_in_identity
    assert [found.is_in_identity for found in one.diff(loaded("workers: 4"))] == [True]


def test_another_file_beside_a_record_is_no_run() -> None:
    folder = run_folder()

    with pytest.raises(ConfigError, match="is no run"):
        _ = loaded("lr: 0.5", str(folder / "other.yaml")).run_uuid


def test_a_record_that_cannot_be_read_is_told() -> None:
    folder = run_folder()
    (folder / "run.json").write_text("{}", encoding="utf-8")

    with pytest.raises(RecordError, match=r"run\.json"):
        Config.load(folder)


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder, and no run"):
        Config.load(tmp_path)


# --- saving ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_saved_without_a_template_is_loaded(suffix: str) -> None:
    values = {"z": {"b": 1, "a": [1.0, "1", "${no}", {"$x": {}}]}, "a.b": float("inf"), "": "on", "empty": {}}
    config = Config.from_dict(values)

    config.save(f"saved{suffix}")

    back = Config.load(f"saved{suffix}")
    assert back == config
    assert list(back) == list(config)
    assert [path.name for path in Path().iterdir()] == [f"saved{suffix}"]


def test_a_section_is_saved_as_a_whole() -> None:
    Config.from_dict({"loader": {"x": 1}, "lr": 2}).loader.save("loader.json")

    assert Config.load("loader.json").plain() == {"x": 1}


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Path("a"), "x.y = 'a' (PosixPath) would come back as 'a' (str)"),
        ((1, 2), "x.y = [1, 2] (tuple) would come back as [1, 2] (list)"),
        ({1, 2}, "x.y = [1, 2] (set) would come back as [1, 2] (list)"),
        (b"\xff", "x.y holds a bytes that no file can hold"),
        (1 << 5000, "x.y is an integer of 5001 bits, and 4096 are read"),
    ],
)
def test_what_would_come_back_as_another_value_is_refused(suffix: str, value: object, told: str) -> None:
    file = Path(f"saved{suffix}")
    file.write_text("before", encoding="utf-8")

    with pytest.raises(UnsupportedValue) as caught:
        Config.from_dict({"x": {"y": value}}).save(file)

    assert [problem.what for problem in caught.value.problems] == [told]
    assert caught.value.problems[0].fix
    assert file.read_text(encoding="utf-8") == "before"


def test_null_has_no_word_in_toml() -> None:
    with pytest.raises(UnsupportedValue, match=r"x\.y is null"):
        Config.from_dict({"x": {"y": None}}).save("saved.toml")


def test_a_suffix_that_names_no_format_is_refused() -> None:
    with pytest.raises(ConfigError, match="has no format"):
        Config.from_dict({}).save("saved.txt")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_copy_of_a_saved_file_is_of_the_same_version(suffix: str) -> None:
    loaded("$version: 3\nlr: 0.5\n").save(f"copy{suffix}")

    assert "version 3" in Config.load(f"copy{suffix}").notes[0]


def test_what_several_schemas_wrote_is_saved_without_a_version() -> None:
    Path("old.yaml").write_text("$version: 3\nlr: 0.5\n", encoding="utf-8")
    config = loaded("$extends: old.yaml\nlr: 1.0\n")

    config.save("copy.yaml")

    assert [note.partition(" ")[0] for note in config.notes] == ["old.yaml"]
    assert Path("copy.yaml").read_text(encoding="utf-8") == "lr: 1.0\n"


def test_a_reference_that_leads_nowhere_may_mean_what_a_class_provides() -> None:
    Path("base.yaml").write_text("a: ${b}\n")

    with pytest.raises(ConfigError, match=r"--app APP, or Template\.load"):
        Config.load("base.yaml")

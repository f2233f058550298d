"""What went wrong with configurations of AlchemyCat: a test for each, that would see it here."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from annotated_types import Gt

from typedcfg import Config, ConfigError, ConfigTemplate, derived, section
from typedcfg.errors import Frozen, UnsupportedValue

Write = Callable[..., None]


class Part(ConfigTemplate):
    x: int = 1
    y: int = derived(lambda c: c.x * 2)


class Holder(ConfigTemplate):
    part: Part


class Params(ConfigTemplate):
    batch: int = 128
    lr: float = derived(lambda c: c.batch / 128 * 0.01)
    note: str | None = "run"
    a: Holder = section(Holder)
    b: Part = section(Part)
    r: Part = section(Part)
    tags: list[str] = []
    free: dict[str, Any] = {}


def compiled(*files: str | Path, overrides: tuple[str, ...] = ()) -> Config[Params]:
    return Params.compile(*files, overrides=overrides)


def refused(template: type[ConfigTemplate], *files: str) -> str:
    with pytest.raises(ConfigError) as caught:
        template.compile(*files)
    return str(caught.value)


# --- loading --------------------------------------------------------------------------------------------------------


def test_base_and_child_are_two_runs_in_either_order(write: Write) -> None:
    write(base="batch: 128", child="$extends: base.yaml\nbatch: 256")

    first = {name: compiled(name).run_uuid for name in ("base.yaml", "child.yaml")}
    again = {name: compiled(name).run_uuid for name in ("child.yaml", "base.yaml")}

    assert first == again
    assert len(set(first.values())) == 2


def test_a_file_is_read_anew_each_time(write: Write) -> None:
    write(base="batch: 128", child="$extends: base.yaml\nb: {x: 5}")
    one, draft = compiled("child.yaml"), compiled("child.yaml").unlock()

    draft.lr = 99
    draft.b.x = 0

    assert compiled("child.yaml") == one
    assert draft.lock() != one
    write(base="batch: 64")
    assert compiled("child.yaml").params == one.merge({"batch": 64}).params


def test_where_a_file_lies_has_no_bearing_on_the_run(write: Write, tmp_path: Path) -> None:
    write(study="batch: 64")
    outside = tmp_path / "elsewhere" / "deep"
    outside.mkdir(parents=True)
    (outside / "other.yaml").write_text("batch: 64")

    here, there = compiled("study.yaml"), compiled(outside / "other.yaml")

    assert (here.run_uuid, here.identity.name) == (there.run_uuid, there.identity.name)
    assert "/" not in here.identity.name


def test_a_parent_is_looked_for_beside_its_child(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "base.yaml").write_text("batch: 64")
    (folder / "child.yaml").write_text("$extends: base.yaml")
    write(base="batch: 1")

    monkeypatch.chdir("/")

    assert compiled(folder / "child.yaml").batch == 64


def test_files_that_extend_each_other_are_named(write: Write) -> None:
    write(one="$extends: two.yaml", two="$extends: one.yaml")

    assert "at            one.yaml:1:1 -> two.yaml:1:1 -> one.yaml" in refused(Params, "one.yaml")


@pytest.mark.parametrize("suffix", [".pkl", ".py", ".pth", ".cfg", ""])
def test_no_file_is_unpickled_or_executed(tmp_path: Path, suffix: str) -> None:
    mark = tmp_path / "executed"

    class Crafted:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (mark,)

    pickled, code = pickle.dumps(Crafted()), f"open({str(mark)!r}, 'w')"
    for content in (pickled, code.encode(), b"a: !!python/object/apply:os.mkdir [executed]"):
        file = tmp_path / f"config{suffix}"
        file.write_bytes(content)
        for read in (compiled, Params.load, Config.load):
            with pytest.raises(ConfigError):
                read(file)

    assert not mark.exists()


# --- formulas -------------------------------------------------------------------------------------------------------


def test_formulas_are_evaluated_in_the_order_that_they_need() -> None:
    class Study(ConfigTemplate):
        text: str = derived(lambda c: f"v{c.z}")
        z: int = derived(lambda c: c.y + 1)
        y: int = derived(lambda c: c.a + 1)
        a: int = 1

    assert Study.compile().params == Study(text="v3", z=3, y=2, a=1)


def test_a_circle_and_a_crash_name_keys_and_lines() -> None:
    class Study(ConfigTemplate):
        a: int = derived(lambda c: c.b)
        b: int = derived(lambda c: c.a)
        ratio: float = derived(lambda c: 1 / c.zero)
        zero: int = 0

    message = refused(Study)

    assert "values wait for each other: a -> b -> a" in message
    assert "ratio cannot be derived: ZeroDivisionError" in message
    assert message.count("test_traps_of_alchemycat.py:") == 3


def test_a_formula_that_misspells_a_key_is_refused() -> None:
    class Study(ConfigTemplate):
        epochs: int = 7
        polite: int = derived(lambda c: c.epoch or 7)
        asking: int = derived(lambda c: getattr(c, "epoch", 7))

    message = refused(Study)

    assert message.count("there is no key epoch") == 2
    assert "did you mean  epochs" in message


def test_a_copied_part_keeps_its_formulas_to_itself(write: Write) -> None:
    write(top="a: {part: {x: 3}}\nb: {x: 50}\nr: '${a.part}'")

    config = compiled("top.yaml")

    assert [part.y for part in (config.a.part, config.b, config.r)] == [6, 100, 6]
    assert compiled("top.yaml", overrides=("r.x=4",)).r.y == 8


def test_a_formula_gives_a_value_and_no_formula() -> None:
    class Study(ConfigTemplate):
        later: Any = derived(lambda c: derived(lambda d: c.epochs + d.epochs))
        epochs: int = 3

    assert "later is derived as another formula" in refused(Study)


def test_a_value_that_others_follow_from_is_followed() -> None:
    config = compiled()
    draft = config.unlock()

    draft.batch = 256

    assert draft.lr == draft.lock().lr == config.merge({"batch": 256}).lr == 0.02


def test_a_formula_that_degrades_is_refused() -> None:
    class Study(ConfigTemplate):
        epochs: int = 4
        save_interval: Annotated[int, Gt(0)] = derived(lambda c: c.epochs // 5)

    assert "save_interval is derived as 0" in refused(Study)
    assert "it read epochs = 4" in refused(Study)


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "written"), [("lrr", "lrr: 1"), ("b.xx", "b: {xx: 1}"), ("a.part.xx", "a: {part: {xx: 1}}")]
)
def test_a_misspelt_key_is_refused_wherever_it_is_written(write: Write, key: str, written: str) -> None:
    write(file=written)

    assert f"unknown key '{key}'\n  at            file.yaml:1:" in refused(Params, "file.yaml")
    with pytest.raises(ConfigError, match=f"unknown key '{key}'"):
        compiled(overrides=(f"{key}=1",))
    with pytest.raises(KeyError, match=key):
        _ = compiled()[key]


def test_what_is_compiled_is_complete(write: Write) -> None:
    write(base="batch: 256", child="$extends: base.yaml\nb: {x: 5}")

    leaves = dict(pickle.loads(pickle.dumps(compiled("child.yaml"))).leaves())

    assert (leaves["batch"], leaves["lr"], leaves["b.y"], leaves["a.part.y"]) == (256, 0.02, 10, 2)


def test_null_is_a_value_like_others(write: Write) -> None:
    write(file="note: null")

    assert compiled("file.yaml").note is compiled(overrides=("note=null",)).note is None
    assert compiled("file.yaml").fingerprint != compiled().fingerprint


def test_texts_that_look_alike_in_a_name_are_different_runs() -> None:
    texts = ["a,b=1", "a·b=1", "../../etc", "a" * 100, "a" * 101, "", "null"]

    fingerprints = {str(Params.compile(overrides={"note": text}).fingerprint) for text in texts}

    assert len(fingerprints) == len(texts)


def test_keys_of_one_name_in_two_sections_are_two_keys() -> None:
    config = compiled(overrides=("b.x=5", "r.x=6"))

    assert (config.b.x, config.r.x) == (5, 6)
    assert {difference.key for difference in compiled().diff(config)} == {"b.x", "b.y", "r.x", "r.y"}


@pytest.mark.parametrize("value", [(1, 2), {1, 2}, Path("a")])
@pytest.mark.parametrize("suffix", [".yaml", ".json", ".toml"])
def test_what_a_file_would_give_back_as_something_else_is_not_saved(tmp_path: Path, suffix: str, value: object) -> None:
    config = Params.compile(presets=[{"free": {"a": value}}])

    with pytest.raises(UnsupportedValue, match=r"free\.a = .* would come back as"):
        config.save(tmp_path / f"run{suffix}")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".yaml", ".json", ".toml"])
def test_numbers_and_keys_come_back_as_they_were(tmp_path: Path, suffix: str) -> None:
    free = {"on": 1e-3, "1": "1e-3", "it's": "on", "1e3": 1e22, "": ["${batch}"], "null": "null"}
    config = Params(free=free).to_config()

    config.save(tmp_path / f"run{suffix}")

    assert Params.load(tmp_path / f"run{suffix}").free == free


def test_a_number_with_an_exponent_is_a_number(write: Write) -> None:
    write(file="free: {a: 1e-3, b: on, on: 2, 1: 3}")

    assert compiled("file.yaml").free == {"a": 0.001, "b": "on", "on": 2, "1": 3}


def test_lists_and_mappings_are_as_frozen_as_sections() -> None:
    config = Params.compile(presets=[{"tags": ["a"], "free": {"l": [1], "d": {"k": 1}}}])

    with pytest.raises(Frozen):
        config.tags.append("b")
    with pytest.raises(Frozen):
        config["free.l"].append(2)
    with pytest.raises(Frozen):
        config["free.d"].update(k=9)
    with pytest.raises(Frozen):
        config.params.free.pop("l")


def test_text_of_a_configuration_is_plain() -> None:
    config = compiled(overrides=("batch=256",))

    texts = [str(config), config.to_yaml(origins=True), config.explain("lr"), Params.help(), config.to_python()]
    with pytest.raises(ConfigError) as caught:
        compiled(overrides=("batch=many",))

    assert "\x1b" not in "".join([*texts, str(caught.value)])


def test_asking_for_a_key_gives_one_answer() -> None:
    config = compiled()

    assert (hasattr(config, "k"), "k" in config, config.get("k")) == (False, False, None)
    with pytest.raises(AttributeError):
        _ = config.k
    with pytest.raises(KeyError):
        _ = config["k"]

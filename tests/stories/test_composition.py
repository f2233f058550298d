"""Files that extend, mount, replace and delete, from the text to the values."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from typedcfg import Config, ConfigError, ConfigTemplate

Write = Callable[..., None]


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.0


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = 0.001
    decay: float = 0.01


class Schedule(ConfigTemplate):
    epochs: int = 10
    warmup: int = 1
    decay_steps: int = 9
    name: str = "plain"
    batch: int = 0
    steps: list[int] = [1]


class Layer(ConfigTemplate):
    width: int = 8
    act: str = "relu"


class Params(ConfigTemplate):
    batch: int = 128
    schedule: Schedule
    other: Schedule
    optimizer: AdamW | Sgd = AdamW()
    layers: list[Layer] = []
    option: Layer | None = None
    groups: dict[str, Layer] = {"head": Layer(width=3)}
    rates: dict[str, float] = {"a": 0.5}


def compiled(*files: str, overrides: list[str] | None = None) -> Config[Params]:
    return Params.compile(*files, overrides=overrides or [])


def values(*files: str, overrides: list[str] | None = None) -> Params:
    return compiled(*files, overrides=overrides).params


PART = "epochs: 20\nwarmup: ${round(0.1 * epochs)}\ndecay_steps: ${epochs - warmup}\nbatch: ${root.batch}\n"


def test_keys_beside_a_part_override_it(write: Write) -> None:
    write(part="epochs: 20\nwarmup: 2", top="schedule: {$extends: part.yaml, warmup: 5}")

    schedule = values("top.yaml").schedule

    assert (schedule.epochs, schedule.warmup) == (20, 5)


def test_the_references_of_a_part_begin_at_its_own_top(write: Write) -> None:
    write(part=PART, top="schedule: {$extends: part.yaml, epochs: 50}\nother: {$extends: part.yaml}\nbatch: 7")

    params = values("top.yaml")

    assert params.schedule == Schedule(epochs=50, warmup=5, decay_steps=45, batch=7)
    assert params.other == Schedule(epochs=20, warmup=2, decay_steps=18, batch=7)


def test_a_part_follows_what_is_overridden_from_outside(write: Write) -> None:
    write(part=PART, top="schedule: {$extends: part.yaml}")

    assert values("top.yaml", overrides=["schedule.epochs=100"]).schedule.decay_steps == 90


def test_a_copy_of_a_mounted_part_is_as_if_mounted_there(write: Write) -> None:
    write(part=PART, top="schedule: {$extends: part.yaml}\nother: ${schedule}")

    copied = values("top.yaml", overrides=["other.epochs=40"])

    assert (copied.schedule.decay_steps, copied.other.decay_steps) == (18, 36)


def test_both_arms_of_a_diamond_keep_what_they_override(write: Write) -> None:
    write(
        base="schedule: {epochs: 1, warmup: 1}",
        a="$extends: base.yaml\nschedule: {epochs: 11}",
        b="$extends: base.yaml\nschedule: {warmup: 22}",
        top="$extends: [a.yaml, b.yaml]",
    )

    schedule = values("top.yaml").schedule

    assert (schedule.epochs, schedule.warmup) == (11, 22)


def test_both_arms_of_a_diamond_of_parts_keep_what_they_override(write: Write) -> None:
    write(
        part="epochs: 1\nwarmup: 1",
        a="schedule: {$extends: part.yaml, epochs: 11}",
        b="schedule: {$extends: part.yaml, warmup: 22}",
        top="$extends: [a.yaml, b.yaml]",
    )

    schedule = values("top.yaml").schedule

    assert (schedule.epochs, schedule.warmup) == (11, 22)


def test_a_replaced_mapping_is_all_that_is_written(write: Write) -> None:
    write(
        base="groups: {tail: {width: 4}}\nrates: {b: 1}",
        top="groups: {$replace: true, neck: {}}\nrates: {$replace: true}",
    )

    params = values("base.yaml", "top.yaml")

    assert params.groups == {"neck": Layer()}
    assert params.rates == {}


def test_a_deleted_key_goes_back_to_its_default(write: Write) -> None:
    write(base="schedule: {epochs: 99, warmup: 9}", top="schedule: {$delete: [epochs]}")

    schedule = values("base.yaml", "top.yaml").schedule

    assert (schedule.epochs, schedule.warmup) == (10, 9)


def test_a_deleted_mapping_may_be_written_anew(write: Write) -> None:
    write(base="rates: {b: 1}", top="$delete: rates\nrates: {c: 2}")

    assert values("base.yaml", "top.yaml").rates == {"a": 0.5, "c": 2.0}


def test_replace_delete_extends_and_own_keys_come_in_this_order(write: Write) -> None:
    write(
        base="schedule: {epochs: 99, name: old, batch: 3}",
        part="epochs: 20\nwarmup: 2",
        top="schedule: {warmup: 7, $extends: part.yaml, $replace: true}",
    )

    assert values("base.yaml", "top.yaml").schedule == Schedule(epochs=20, warmup=7)


def test_what_stands_beside_extends_takes_nothing_from_what_is_extended(write: Write) -> None:
    write(
        base="schedule: {epochs: 99, warmup: 9}",
        without="$delete: schedule.epochs",
        beside="$extends: base.yaml\n$delete: schedule.epochs",
        below="$extends: base.yaml\nschedule: {$delete: epochs}",
        behind="$extends: [base.yaml, without.yaml]",
    )

    assert values("beside.yaml").schedule == Schedule(epochs=99, warmup=9)
    assert values("below.yaml").schedule == values("behind.yaml").schedule == Schedule(warmup=9)


def test_a_key_that_nobody_set_does_not_come_by_deleting_below_it(write: Write) -> None:
    write(top="groups: {neck: {}, $delete: tail.width}")

    assert values("top.yaml", overrides=["~groups.foot.width"]).groups == {"head": Layer(width=3), "neck": Layer()}


@pytest.mark.parametrize("override", ["~option.width", "~groups.tail.width"])
def test_taking_back_what_nobody_set_makes_no_section(override: str) -> None:
    params = values(overrides=["batch=1", override])

    assert params.option is None
    assert list(params.groups) == ["head"]


@pytest.mark.parametrize("override", ["~layers[0]", "~schedule.epoch", "~schedule.steps[2]"])
def test_taking_back_what_does_not_exist_is_told_even_if_nothing_else_is_said(override: str) -> None:
    with pytest.raises(ConfigError, match=r"does not exist|unknown key"):
        values(overrides=[override])


def test_a_part_that_is_laid_again_after_a_replacement_contradicts_nothing(write: Write) -> None:
    write(
        part="epochs: 20",
        other="warmup: 2",
        anew="$replace: true\n$extends: part.yaml",
        top="schedule: {$extends: [part.yaml, other.yaml, anew.yaml]}",
    )

    assert values("top.yaml").schedule == Schedule(epochs=20)


def test_items_of_a_list_may_mount_parts(write: Write) -> None:
    write(wide="width: 64", top="layers: [{$extends: wide.yaml}, {act: gelu}, {$extends: wide.yaml, act: tanh}]")

    assert values("top.yaml").layers == [Layer(width=64), Layer(act="gelu"), Layer(width=64, act="tanh")]


def test_a_list_that_mounts_replaces_a_weaker_one(write: Write) -> None:
    write(wide="width: 64", base="layers: [{width: 1}, {width: 2}]", top="layers: [{$extends: wide.yaml}]")

    assert values("base.yaml", "top.yaml", overrides=["layers[0].act=gelu"]).layers == [Layer(width=64, act="gelu")]


def test_a_part_goes_with_its_item_when_one_before_it_goes(write: Write) -> None:
    write(
        named="act: 'w${width}'",
        top="layers: [{width: 9}, {$extends: named.yaml, width: 1}, {$extends: named.yaml, width: 2}]",
    )

    layers = values("top.yaml", overrides=["~layers[0]"]).layers

    assert layers == [Layer(width=1, act="w1"), Layer(width=2, act="w2")]


def test_a_part_without_a_kind_is_of_the_kind_beside_it(write: Write) -> None:
    write(part="lr: 0.5", top="optimizer: {$extends: part.yaml, kind: sgd}")

    assert values("top.yaml").optimizer == Sgd(lr=0.5)


def test_a_part_with_a_kind_chooses_it(write: Write) -> None:
    write(part="kind: sgd\nmomentum: 0.9", top="optimizer: {$extends: part.yaml, lr: 0.3}")

    assert values("top.yaml").optimizer == Sgd(lr=0.3, momentum=0.9)


def test_what_a_part_says_for_another_kind_does_not_count(write: Write) -> None:
    write(part="kind: sgd\nmomentum: 0.9\nlr: 7", top="optimizer: {$extends: part.yaml, kind: adamw}")

    config = compiled("top.yaml")

    assert config.params.optimizer == AdamW()
    assert any("part.yaml:2:1" in note for note in config.notes)


def test_explain_names_the_line_of_the_part_and_of_what_overrides_it(write: Write) -> None:
    write(part="epochs: 20\nwarmup: 2", top="schedule: {$extends: part.yaml, warmup: 5}")

    told = compiled("top.yaml").explain("schedule.warmup")

    assert "wins      5  top.yaml:1:33" in told
    assert "over      2  part.yaml:2:1" in told


def test_explain_tells_a_mapping_that_replaces(write: Write) -> None:
    write(base="rates: {b: 1}", top="rates: {$replace: true, c: 2}")

    told = compiled("base.yaml", "top.yaml").explain("rates")

    assert "over      {b: 1}    base.yaml:1:1" in told
    assert "top.yaml:1:1 replaces the mapping whole: what is written there is all there is" in told


def test_every_format_mounts_alike(write: Write) -> None:
    write(part="epochs: 20")
    Path("p.json").write_text('{"warmup": 2, "$extends": "part.yaml"}')
    Path("top.toml").write_text('[schedule]\n"$extends" = "p.json"\nbatch = 4\n')
    write(top="schedule: {$extends: p.json, batch: 4}")

    assert compiled("top.toml").fingerprint == compiled("top.yaml").fingerprint
    assert values("top.toml").schedule == Schedule(epochs=20, warmup=2, batch=4)


def test_files_load_in_any_order_and_as_often_as_one_likes(write: Write) -> None:
    write(base="batch: 128\nschedule: {epochs: '${root.batch}'}", child="$extends: base.yaml\nbatch: 256")
    alone = {name: compiled(name).fingerprint for name in ("base.yaml", "child.yaml")}

    for order in itertools.permutations(["base.yaml", "child.yaml", "base.yaml", "child.yaml"]):
        assert [compiled(name).fingerprint for name in order] == [alone[name] for name in order]


def test_a_file_means_the_same_from_every_folder(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(part=PART, top="schedule: {$extends: part.yaml}")
    here = compiled("top.yaml")

    monkeypatch.chdir("/")
    there = compiled(str(tmp_path / "top.yaml"))

    assert here == there
    assert here.fingerprint == there.fingerprint


def test_a_typo_in_a_part_is_told_with_its_place(write: Write) -> None:
    write(part="epochs: 20\nwarmpu: 2", top="schedule: {$extends: part.yaml}")

    with pytest.raises(ConfigError, match=r"unknown key 'schedule.warmpu'\s+at\s+part.yaml:2:1"):
        compiled("top.yaml")


def test_a_thousand_mounts_are_read(write: Write) -> None:
    write(wide="width: 64", top="layers:\n" + "- {$extends: wide.yaml}\n" * 1000)

    assert len(values("top.yaml").layers) == 1000


def test_parts_that_double_at_every_step_are_bounded(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typedcfg.sources.files.MOST_LAYERS", 500)
    twice = {f"f{n}": f"a: {{$extends: f{n - 1}.yaml}}\nb: {{$extends: f{n - 1}.yaml}}" for n in range(1, 30)}
    write(f0="width: 1", **twice)

    with pytest.raises(ConfigError, match="files come to more than 500 layers"):
        compiled("f29.yaml")


class Tree(ConfigTemplate):
    subs: "list[Tree]" = []


class Trees(ConfigTemplate):
    by: dict[str, list[Tree]] = {}


def test_copies_that_double_at_every_step_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typedcfg.compiler.copies.MOST_COPIES", 200)
    doubling = {f"a{n}": [{"subs": f"${{by.a{n - 1}}}"}, {"subs": f"${{by.a{n - 1}}}"}] for n in range(1, 30)}

    with pytest.raises(ConfigError, match="more than 200 sections and lists are copies"):
        Trees.compile(presets=[{"by": {"a0": [{}], **doubling}}])

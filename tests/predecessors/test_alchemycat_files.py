"""Inheritance, dependencies and composition as AlchemyCat has them, and as files have them here."""

from collections.abc import Callable
from typing import Any

from typedcfg import Config, ConfigTemplate

Write = Callable[..., None]


class Part(ConfigTemplate):
    x: int = 0
    y: int = 0
    z: int = 0


class Params(ConfigTemplate):
    part: Part
    other: Part
    n: int = 1
    strides: list[int] = [1, 2]
    free: dict[str, Any] = {}


def compiled(*files: str, overrides: tuple[str, ...] = ()) -> Config[Params]:
    return Params.compile(*files, overrides=overrides)


def test_a_child_stands_above_its_whole_line(write: Write) -> None:
    write(
        oldest="part: {x: 1, y: 1, z: 1}",
        base="$extends: oldest.yaml\npart: {y: 2, z: 2}",
        child="$extends: base.yaml\npart: {z: 3}",
    )

    assert compiled("child.yaml").params.part == Part(x=1, y=2, z=3)


def test_of_several_parents_the_later_wins_and_the_child_over_all(write: Write) -> None:
    write(
        b="part: {x: 1, y: 1, z: 1}\nn: 1",
        p="part: {y: 2, z: 2}\nn: 2",
        q="part: {z: 3}\nn: 3",
        child="$extends: [b.yaml, p.yaml, q.yaml]\nn: 4",
    )

    config = compiled("child.yaml")

    assert (config.params.part, config.n) == (Part(x=1, y=2, z=3), 4)


def test_sections_merge_and_lists_are_replaced(write: Write) -> None:
    write(base="part: {x: 1}\nstrides: [8, 8, 8]", child="$extends: base.yaml\npart: {y: 2}\nstrides: [4]")

    config = compiled("child.yaml", overrides=("strides+=5",))

    assert (config.params.part, config.strides) == (Part(x=1, y=2), [4, 5])


def test_an_empty_mapping_takes_nothing_away(write: Write) -> None:
    write(base="part: {x: 1}\nfree: {a: 1}", child="$extends: base.yaml\npart: {}\nfree: {}")

    config = compiled("child.yaml")

    assert (config.params.part, config.free) == (Part(x=1), {"a": 1})


def test_a_child_takes_back_what_its_parent_set(write: Write) -> None:
    write(base="part: {x: 1, y: 1}\nfree: {a: 1}", child="$extends: base.yaml\npart: {$delete: x}\nfree: {$delete: a}")

    config = compiled("child.yaml")

    assert (config.params.part, config.free) == (Part(y=1), {})


def test_files_are_merged_in_the_order_in_which_they_are_named(write: Write) -> None:
    write(one="part: {x: 1, y: 1}\nfree: {a: {b: 1}}", two="part: {y: 2}\nfree: {a: {c: 2}}")

    assert compiled("one.yaml", "two.yaml").params.part == Part(x=1, y=2)
    assert compiled("two.yaml", "one.yaml").params.part == Part(x=1, y=1)
    assert compiled("one.yaml", "two.yaml").free == {"a": {"b": 1, "c": 2}}


def test_a_part_reads_its_own_values_and_the_whole(write: Write) -> None:
    write(part="x: 3\ny: ${x * 2}\nz: ${root.n}", top="n: 7\npart: {$extends: part.yaml, x: 5}")

    assert compiled("top.yaml").params.part == Part(x=5, y=10, z=7)


def test_a_copied_section_follows_what_is_changed_in_the_copy(write: Write) -> None:
    write(top="part: {x: 3, y: '${here.x * 2}'}\nother: ${part}")

    config = compiled("top.yaml", overrides=("other.x=50",))

    assert (config.params.part, config.params.other) == (Part(x=3, y=6), Part(x=50, y=100))

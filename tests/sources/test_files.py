from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from typedcfg.errors import ConfigError
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Layer
from typedcfg.sources.files import FileSource

Write = Callable[..., None]


def names(*paths: str) -> list[str]:
    return [layer.name for layer in FileSource(paths).read()]


def only(*paths: str) -> Layer:
    [layer] = FileSource(paths).read()
    return layer


def refusal(*paths: str) -> str:
    with pytest.raises(ConfigError) as caught:
        list(FileSource(paths).read())
    return str(caught.value)


def test_no_file_is_no_layer() -> None:
    assert list(FileSource([]).read()) == []


def test_each_file_is_a_layer_in_the_order_given(write: Write) -> None:
    write(base="a: 1", wide="a: 2")

    layers = list(FileSource(["base.yaml", Path("wide.yaml")]).read())

    assert [(layer.name, layer.strength, layer.roots) for layer in layers] == [
        ("base.yaml", "files", ({"a": 1},)),
        ("wide.yaml", "files", ({"a": 2},)),
    ]


def test_a_file_stands_directly_above_what_it_extends(write: Write) -> None:
    write(base="a: 1", wide="$extends: patch.yaml", patch="a: 2")

    assert names("base.yaml", "wide.yaml") == ["base.yaml", "patch.yaml", "wide.yaml"]


def test_of_a_list_the_later_is_the_stronger(write: Write) -> None:
    write(top="$extends: [a.yaml, b.yaml]", a="$extends: c.yaml", b="x: 1", c="x: 2")

    assert names("top.yaml") == ["c.yaml", "a.yaml", "b.yaml", "top.yaml"]


def test_each_file_stands_once_at_its_first_place(write: Write) -> None:
    write(top="$extends: [a.yaml, b.yaml]", a="$extends: base.yaml", b="$extends: ./base.yaml", base="x: 1")

    assert names("top.yaml") == ["base.yaml", "a.yaml", "b.yaml", "top.yaml"]


def test_one_file_by_two_names_is_one_file(write: Write) -> None:
    write(base="x: 1", wide="$extends: alias.yaml")
    Path("alias.yaml").symlink_to("base.yaml")

    assert names("base.yaml", "wide.yaml") == ["base.yaml", "wide.yaml"]


def test_paths_are_relative_to_the_file_that_says_them(write: Write) -> None:
    write(base="x: 1")
    Path("patches").mkdir()
    Path("patches/wide.yaml").write_text("$extends: [../base.yaml, deep.json]")
    Path("patches/deep.json").write_text('{"$extends": "./flat.toml"}')
    Path("patches/flat.toml").write_text('"$extends" = []')

    assert names("patches/wide.yaml") == ["base.yaml", "patches/flat.toml", "patches/deep.json", "patches/wide.yaml"]


def test_a_file_is_named_from_the_current_folder(write: Write, tmp_path: Path) -> None:
    write(base="x: 1")

    assert names(str(tmp_path / "base.yaml")) == ["base.yaml"]


def test_a_file_elsewhere_is_named_as_it_was_written(write: Write, tmp_path: Path) -> None:
    write(base="x: 1")
    folder = tmp_path / "inner"
    folder.mkdir()

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert names("../base.yaml") == ["../base.yaml"]
        assert names(str(tmp_path / "base.yaml")) == [str(tmp_path / "base.yaml")]


def test_extends_is_no_setting_and_leaves_nothing_unsettled(write: Write) -> None:
    write(base="x: 1", wide="$extends: base.yaml\na: {b: 1}")

    wide = list(FileSource(["wide.yaml"]).read())[-1].roots[0]

    assert wide == {"a": {"b": 1}}
    assert list(wide.origins) == ["a"]
    assert not wide.unsettled


@pytest.mark.parametrize("name", ["f.yaml", "f.yml", "f.json", "f.YAML"])
def test_every_format_says_the_same(write: Write, name: str) -> None:
    write()
    Path(name).write_text('{"a": {"b": [1, 0.5, "x", true]}}')

    assert only(name).roots == ({"a": {"b": [1, 0.5, "x", True]}},)


def test_a_byte_order_mark_is_no_text(write: Write) -> None:
    write()
    for name in ("f.yaml", "f.json"):
        Path(name).write_bytes(b'\xef\xbb\xbf{"a": 1}')
        assert only(name).roots[0].origins == {"a": Origin(name, 1, 2)}
    Path("f.toml").write_bytes(b"\xef\xbb\xbfa = 1\r\n")
    assert only("f.toml").roots == ({"a": 1},)


def test_reading_twice_gives_equal_and_independent_trees(write: Write) -> None:
    write(base="a: {b: 1}")
    source = FileSource(["base.yaml"])

    first, second = (next(source.read()).roots[0] for _ in range(2))

    assert first == second
    assert first is not second
    assert first["a"] is not second["a"]


# -- keys that begin with $ -------------------------------------------------------------------------------------------


def test_a_key_of_ones_own_loses_one_dollar_and_keeps_its_place(write: Write) -> None:
    write(f="a:\n  x: 1\n  $$ref: 2\n  $$$y: 3\n  z: 4\n")

    tree = only("f.yaml").roots[0]
    section = tree["a"]

    assert isinstance(section, Branch)
    assert list(section.items()) == [("x", 1), ("$ref", 2), ("$$y", 3), ("z", 4)]
    assert section.origins["$ref"] == Origin("f.yaml", 3, 3)


def test_what_an_alias_shares_loses_one_dollar_only(write: Write) -> None:
    write(f="a: &x {b: {$$$$k: 1}}\nc: [*x, *x]\n")

    assert only("f.yaml").roots == ({"a": {"b": {"$$$k": 1}}, "c": [{"b": {"$$$k": 1}}] * 2},)


def test_only_references_stay_unsettled(write: Write) -> None:
    write(f="a: {$$k: 1}\nb: [{$$k: '${root.a}'}]\n")

    tree = only("f.yaml").roots[0]

    assert isinstance(tree["a"], Branch)
    assert (tree.unsettled, tree["a"].unsettled) == (True, False)


def test_unknown_instructions_are_refused_with_the_known(write: Write) -> None:
    write(f="$extend: base.yaml\na: [{b: {$x: 1, '${c}': 2}}]\n")

    message = refusal("f.yaml")

    assert "3 problems" in message
    for words in ("unknown instruction '$extend'", "f.yaml:1:1", "$extends", "f.yaml:2:10", "'$$x'", "'$${c}'"):
        assert words in message


def test_a_part_is_a_layer_below_the_mapping_that_mounts_it(write: Write) -> None:
    write(f="a: {$extends: part.yaml, x: 1}\nb: 2", part="x: 0\ny: 3")

    part, own = FileSource(["f.yaml"]).read()

    assert (part.name, part.top, part.roots) == ("part.yaml", ("a",), ({"a": {"x": 0, "y": 3}},))
    assert (own.name, own.top, own.roots) == ("f.yaml", (), ({"a": {"x": 1}, "b": 2},))


def test_a_part_keeps_the_place_where_its_keys_were_written(write: Write) -> None:
    write(f="a: {$extends: part.yaml}", part="x: 0\ny: 3")

    part, _ = FileSource(["f.yaml"]).read()
    inner = part.roots[0]["a"]

    assert isinstance(inner, Branch)
    assert str(inner.origins["y"]) == "part.yaml:2:1"


def test_a_part_of_a_part_lies_below_it(write: Write) -> None:
    write(f="a: {$extends: outer.yaml}", outer="$extends: base.yaml\nb: {$extends: inner.yaml}", inner="x: 1", base="")

    tops = [(layer.name, layer.top) for layer in FileSource(["f.yaml"]).read()]

    assert tops == [("base.yaml", ("a",)), ("inner.yaml", ("a", "b")), ("outer.yaml", ("a",)), ("f.yaml", ())]


def test_a_part_mounted_by_both_arms_of_a_diamond_is_laid_once(write: Write) -> None:
    write(
        top="$extends: [a.yaml, b.yaml]", a="s: {$extends: p.yaml, x: 11}", b="s: {$extends: p.yaml, y: 22}", p="x: 1"
    )

    assert names("top.yaml") == ["p.yaml", "a.yaml", "b.yaml", "top.yaml"]


def test_a_part_that_was_replaced_in_between_is_laid_again(write: Write) -> None:
    write(a="s: {$extends: p.yaml}", b="s: {$replace: true, y: 2}", c="s: {$extends: p.yaml}", p="x: 1")

    assert names("a.yaml", "b.yaml", "c.yaml") == ["p.yaml", "a.yaml", "b.yaml", "p.yaml", "c.yaml"]


def test_one_part_may_be_mounted_at_many_places(write: Write) -> None:
    write(f="a: {$extends: p.yaml}\nb: [{$extends: p.yaml}, {$extends: p.yaml, x: 2}]", p="x: 1")

    tops = [layer.top for layer in FileSource(["f.yaml"]).read() if layer.name == "p.yaml"]

    assert tops == [("a",), ("b", 0), ("b", 1)]


def test_a_part_that_sank_below_another_is_refused(write: Write) -> None:
    write(a="s: {$extends: p.yaml}", b="s: {$extends: q.yaml}", c="s: {$extends: p.yaml}", p="x: 1", q="x: 2")

    message = refusal("a.yaml", "b.yaml", "c.yaml")

    assert "'p.yaml' is mounted at s again, but stands below 'q.yaml'" in message
    assert "$replace: true" in message


def test_files_that_mount_each_other_are_a_circle(write: Write) -> None:
    write(a="x: {$extends: b.yaml}", b="y:\n  $extends: a.yaml")

    message = refusal("a.yaml")

    assert "'a.yaml' extends itself" in message
    assert "a.yaml:1:5 -> b.yaml:2:3 -> a.yaml" in message


def test_a_long_chain_of_files_is_read(write: Write) -> None:
    write(**{f"f{n}": f"$extends: f{n + 1}.yaml" for n in range(2000)}, f2000="x: 1")

    assert len(names("f0.yaml")) == 2001


@pytest.mark.parametrize("value", ["", "12", "{a: 1}", "[12]", "''", "'${env(\"NAME\")}.yaml'"])
def test_extends_names_paths(write: Write, value: str) -> None:
    write(f=f"$extends: {value}\n")

    assert "$extends names" in refusal("f.yaml")


# -- what cannot be ---------------------------------------------------------------------------------------------------


def test_listing_a_file_after_one_that_extends_it_is_refused(write: Write) -> None:
    write(base="x: 1", wide="$extends: base.yaml")

    message = refusal("wide.yaml", "base.yaml")

    assert "'base.yaml' is listed after 'wide.yaml', but stands below it" in message
    assert "wide.yaml:1:1" in message


def test_an_extends_list_may_not_contradict_the_order_either(write: Write) -> None:
    write(top="$extends: [x.yaml, base.yaml]", x="$extends: mid.yaml", mid="$extends: base.yaml", base="")

    message = refusal("top.yaml")

    assert "'base.yaml' is listed after 'x.yaml'" in message
    assert "top.yaml:1:20" in message


def test_a_diamond_whose_sides_disagree_is_refused(write: Write) -> None:
    write(top="$extends: [l.yaml, r.yaml]", l="$extends: [a.yaml, b.yaml]", r="$extends: [b.yaml, a.yaml]", a="", b="")

    assert "'a.yaml' is listed after 'b.yaml', but stands below it" in refusal("top.yaml")


def test_listing_a_file_twice_is_refused(write: Write) -> None:
    write(a="x: 1", b="x: 2")

    assert "'a.yaml' is listed twice" in refusal("a.yaml", "b.yaml", "./a.yaml")


def test_no_order_is_lost_on_the_way(write: Write) -> None:
    write(a="x: 1", b="$extends: a.yaml", c="", d="$extends: [c.yaml, b.yaml]")

    for listed in permutations(["a.yaml", "c.yaml", "d.yaml"]):
        try:
            order = names(*listed)
        except ConfigError:
            assert listed[-1] != "d.yaml"
        else:
            assert order.index("a.yaml") < order.index("b.yaml") < order.index("d.yaml")
            assert [name for name in order if name in listed] == list(listed)


def test_a_circle_is_refused_with_its_chain(write: Write) -> None:
    write(top="$extends: a.yaml", a="$extends: b.yaml", b="x: 1\n$extends: [a.yaml]")

    message = refusal("top.yaml")

    assert "'a.yaml' extends itself" in message
    assert "a.yaml:1:1 -> b.yaml:2:12 -> a.yaml" in message
    assert "top.yaml" not in message


def test_a_file_that_extends_itself_is_refused(write: Write) -> None:
    write(a="$extends: a.yaml")

    assert "a.yaml:1:1 -> a.yaml" in refusal("a.yaml")


def test_a_missing_file_is_never_said_to_be_the_one_that_asks_or_one_that_only_looks_alike(write: Write) -> None:
    write(bas="$extends: base.yaml", nokind="x: 1")

    assert "did you mean" not in refusal("bas.yaml")
    assert "did you mean" not in refusal("cosin.yaml")


def test_a_missing_file_names_who_asked_and_the_nearest(write: Write) -> None:
    write(base="x: 1", wide="a: 1\n$extends: bsae.yaml")

    message = refusal("wide.yaml", "bsae.yaml")

    assert "no file 'bsae.yaml'" in message
    assert "wide.yaml:2:1" in message
    assert "did you mean  base.yaml" in message
    assert "no file 'x/y.yaml'" in refusal("x/y.yaml")
    assert "files[0]" in refusal("x/y.yaml")


def test_an_argument_without_a_suffix_is_told_how_settings_are_written(write: Write) -> None:
    write()

    with pytest.raises(ConfigError, match="key=value"):
        list(FileSource(["sgd"], origins=[Origin("argument 3")]).read())
    assert "key=value" not in refusal("sgd")


def test_an_unknown_suffix_is_refused_with_the_known(write: Write) -> None:
    write()
    Path("a.ini").write_text("")
    Path("b").write_text("")

    message = refusal("a.ini", "b")

    assert "the suffix is '.ini'" in message
    assert "'b' has no suffix" in message
    assert ".yaml, .yml, .json or .toml" in message


def test_a_folder_is_no_file(write: Write) -> None:
    write()
    Path("a.yaml").mkdir()

    assert "'a.yaml' cannot be read: is a directory" in refusal("a.yaml")


def test_a_file_beneath_a_file_cannot_be_read(write: Write) -> None:
    write(a="x: 1")

    assert "'a.yaml/b.yaml' cannot be read" in refusal("a.yaml/b.yaml")


def test_bytes_that_are_no_utf8_are_placed(write: Write) -> None:
    write()
    Path("a.yaml").write_bytes("x: 1\né: ".encode() + b"\xff\n")

    message = refusal("a.yaml")

    assert "byte 0xff is not UTF-8" in message
    assert "a.yaml:2:4" in message


def test_a_byte_order_mark_does_not_move_the_place_of_a_byte(write: Write) -> None:
    write()
    Path("a.yaml").write_bytes(b"\xef\xbb\xbfx: \xff\n")

    assert "a.yaml:1:4" in refusal("a.yaml")


def test_problems_of_all_files_are_told_at_once(write: Write) -> None:
    write(a="$extends: [b.yaml, missing.yaml]\n$nope: 1", b="x: 1\nx: 2", c="a: [")

    with pytest.raises(ConfigError) as caught:
        list(FileSource(["a.yaml", "c.yaml"]).read())

    assert [problem.where.splitlines()[0] for problem in caught.value.problems] == [
        "a.yaml:2:1",
        "b.yaml:2:1",
        "a.yaml:1:20",
        "c.yaml:2:1",
    ]


def test_a_missing_file_that_is_like_no_other_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").touch()

    with pytest.raises(ConfigError, match=r"correct the path; files there: \S*base\.yaml"):
        names(str(tmp_path / "nofile.yaml"))

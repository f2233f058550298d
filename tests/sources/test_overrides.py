from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcfg.errors import ConfigError
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Appended, Branch, Edit, Layer, Positions, Removed, Text
from typedcfg.sources.overrides import override_source, split_arguments
from typedcfg.template.base import ConfigTemplate


class Sgd(ConfigTemplate):
    lr: float = 0.1
    momentum: float = 0.9


Keys = st.text("ab._0 ü\"'[", min_size=1, max_size=5)
Paths = st.tuples(Keys, st.lists(Keys | st.integers(-2, 20), max_size=4)).map(lambda parts: (parts[0], *parts[1]))


def layer_of(*arguments: str) -> Layer:
    files, overrides = split_arguments(list(enumerate(arguments, 1)))
    [layer] = overrides.read()
    assert files == []
    return layer


def refusal(*arguments: str) -> str:
    _, overrides = split_arguments(list(enumerate(arguments, 1)))
    with pytest.raises(ConfigError) as caught:
        list(overrides.read())
    return str(caught.value)


@pytest.mark.parametrize("arguments", [["a.b=1"], ["--a.b=1"], ["--a.b", "1"]])
def test_an_override_is_written_three_ways(arguments: list[str]) -> None:
    [root] = layer_of(*arguments).roots
    section = root["a"]

    assert isinstance(section, Branch)
    assert section == {"b": "1"}
    assert isinstance(section["b"], Text)
    assert section.origins == {"b": Origin("argument 1")}
    assert root.unsettled


def test_all_overrides_are_one_layer_in_the_order_written() -> None:
    layer = layer_of("a=1", "--b", "2", "a=3")

    assert (layer.name, layer.strength) == ("command line", "command line")
    assert layer.roots == ({"a": "1"}, {"b": "2"}, {"a": "3"})


def test_origins_count_every_argument() -> None:
    files, overrides = split_arguments([(3, "base.yaml"), (4, "--a"), (5, "1"), (6, "b=2")])
    places = [str(origin) for root in next(overrides.read()).roots for origin in root.origins.values()]

    assert files == [("base.yaml", Origin("argument 3"))]
    assert places == ["argument 4", "argument 6"]


def test_without_overrides_there_is_no_layer() -> None:
    files, overrides = split_arguments([(1, "base.yaml"), (2, "wide.toml")])

    assert [file for file, _ in files] == ["base.yaml", "wide.toml"]
    assert list(overrides.read()) == []


@pytest.mark.parametrize("value", ["", "-1", "a=b", "{momentum: 0.9}", "[1, 2]", "x y", "${root.seed}", "~"])
def test_a_value_is_the_text_after_the_first_equals_sign(value: str) -> None:
    assert layer_of(f"a={value}").roots == ({"a": value},)
    assert layer_of("--a", value).roots == ({"a": value},)


def test_a_tilde_resets_a_key() -> None:
    [first, second] = layer_of("a.b=1", "~a.b").roots

    assert first == {"a": {"b": "1"}}
    assert second == {"a": {"b": Edit.RESET}}


def test_a_position_edits_one_item_of_a_list() -> None:
    [root] = layer_of("layers[2].width=64").roots

    assert isinstance(root["layers"], Positions)
    assert root["layers"] == {2: {"width": "64"}}


@given(Paths)
def test_every_key_path_can_be_overridden(path: KeyPath) -> None:
    text = render_key_path(path)

    value: object = layer_of(f"{text}=1").roots[0]

    for step in path:
        assert isinstance(value, (Branch, Positions))
        assert list(value) == [step]
        [value] = value.values()
    assert value == "1"


@pytest.mark.parametrize(
    ("token", "column"),
    [
        ("a..b=1", 3),
        ("lr 1=2", 3),
        ("=1", 1),
        ("--=1", 3),
        ("[0]=1", 1),
        ("a[x]=1", 2),
        ("~", 2),
        ("~a=1", 3),
        ("a.=", 3),
        (f"a[{'9' * 19}]=1", 2),
    ],
)
def test_a_malformed_key_is_refused_with_its_column(token: str, column: int) -> None:
    message = refusal("ok=1", token)

    assert f"is not a key path from column {column} on" in message
    assert "argument 2" in message


@pytest.mark.parametrize("arguments", [["--a.b"], ["--a.b", "--c", "1"], ["--a.b", "--c=1"]])
def test_a_flag_without_a_value_is_refused(arguments: list[str]) -> None:
    message = refusal(*arguments)

    assert "'--a.b' has no value" in message
    assert "--a.b=value" in message


@pytest.mark.parametrize(
    ("token", "meant"),
    [("-lr=1", "--lr"), ("-lr.decay[0]=1", "--lr.decay[0]"), ("-optimzer.lr=1", "--optimizer.lr"), ("-json", "--json")],
)
def test_a_single_dash_is_refused_with_an_option_that_exists(token: str, meant: str) -> None:
    _, overrides = split_arguments([(1, token)], options=["lr", "optimizer", "json"])

    assert [problem.suggestion for problem in overrides.problems] == [meant]


@pytest.mark.parametrize("token", ["-v", "-", "-verbose=1", "-[0]=1"])
def test_a_single_dash_before_nothing_known_is_refused_without_a_guess(token: str) -> None:
    _, overrides = split_arguments([(1, token)], options=["lr", "optimizer", "json"])

    [problem] = overrides.problems
    assert problem.what.startswith("unknown option '-")
    assert problem.suggestion is None


def held(tree: object) -> object:
    """What stands at the only path of a tree."""
    while isinstance(tree, dict):
        [tree] = tree.values()
    return tree


@pytest.mark.parametrize("token", ["tags+=x", "--tags+=x", "a.tags[0]+=x"])
def test_a_plus_appends(token: str) -> None:
    [layer] = override_source([token]).read()

    edit = held(layer.roots[0])
    assert isinstance(edit, Appended)
    assert edit.items == Text("x")


def test_a_minus_removes() -> None:
    [layer] = override_source(["tags-=[x, y]"]).read()

    edit = held(layer.roots[0])
    assert isinstance(edit, Removed)
    assert edit.items == Text("[x, y]")


def test_no_message_shows_a_value() -> None:
    message = refusal("to ken=hunter2", "-token=hunter2", "token+=hunter2", "~token=hunter2", "--to ken", "hunter2")

    assert "4 problems" in message
    assert "hunter2" not in message.replace("'~token=hunter2'", "")


def test_a_file_in_a_folder_may_hold_an_equals_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "lr=1.yaml").touch()
    (tmp_path / "lr=1.yaml").touch()

    files, overrides = split_arguments(list(enumerate(["runs/lr=1.yaml", "lr=1.yaml", "runs/lr=2.yaml"], 1)))

    assert [file for file, _ in files] == ["runs/lr=1.yaml"]
    assert overrides.roots == ({"lr": "1.yaml"}, {"runs/lr": "2.yaml"})


def test_a_file_whose_name_is_no_override_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a b=1.yaml"
    path.touch()

    assert split_arguments([(1, str(path))])[0] == [(str(path), Origin("argument 1"))]


def test_overrides_in_code_stand_at_their_index() -> None:
    [layer] = override_source(["a=1", "--b", "2"]).read()

    assert (layer.name, layer.strength) == ("overrides", "overrides")
    assert [str(origin) for root in layer.roots for origin in root.origins.values()] == ["overrides[0]", "overrides[1]"]


def test_a_file_among_overrides_in_code_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'base\.yaml' sets nothing"):
        list(override_source(["a=1", "base.yaml"]).read())


def test_overrides_in_code_may_be_values_by_key_path() -> None:
    [layer] = override_source({"layers[2].width": 64, "optimizer": {"lr": 0.1, "betas": [0.9]}, "name": "12"}).read()
    optimizer = layer.roots[1]["optimizer"]

    assert layer.roots == ({"layers": {2: {"width": 64}}}, {"optimizer": {"lr": 0.1, "betas": [0.9]}}, {"name": "12"})
    assert isinstance(optimizer, Branch)
    assert optimizer.origins["lr"] == Origin("overrides['optimizer']")
    assert type(layer.roots[2]["name"]) is str


def test_an_instance_among_overrides_in_code_sets_what_it_was_given() -> None:
    [layer] = override_source({"optimizer": Sgd(momentum=0.5)}).read()

    assert layer.roots == ({"optimizer": {"momentum": 0.5}},)


def test_keys_of_overrides_in_code_are_checked() -> None:
    with pytest.raises(ConfigError) as caught:
        list(override_source({"a..b": 1, "[0]": 2}).read())

    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("token", "fix"),
    [
        ("+loader.batch_size=3", "drop the +: every key is declared, and is set as it stands"),
        ("++loader.batch_size=3", "drop the ++: every key is declared, and is set as it stands"),
        (
            "groups[net.emb].lr=2",
            "quote the name, and the whole argument again for a shell: 'groups[\"net.emb\"].lr=...'",
        ),
        ("groups[=2", ""),
        ("-m", "one command is one configuration: for several, loop in the shell: for n in 32 64; do ... key=$n; done"),
    ],
)
def test_a_key_as_another_tool_or_a_bare_shell_has_it_is_told_how(token: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        list(override_source([token]).read())

    assert caught.value.problems[0].fix == fix

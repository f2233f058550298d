"""Files that extend, mount, replace and delete compile to what a naive reading of the rules says."""

import json
from collections.abc import Iterator, Sequence
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st

from typedcfg import Config, ConfigError, ConfigTemplate, section

Tree: TypeAlias = dict[str, Any]
Steps: TypeAlias = tuple[str | int, ...]


class Layer(ConfigTemplate):
    width: int = 8
    act: str = "relu"


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: int = 1
    momentum: int = 2


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: int = 3
    beta: int = 4


class Params(ConfigTemplate):
    epochs: int = 5
    layer: Layer = section(Layer, width=6)
    option: Layer | None = None
    optimizer: AdamW | Sgd = section(AdamW)
    layers: list[Layer] = [Layer(width=7)]
    groups: dict[str, Layer] = {"a": Layer(width=9)}
    rates: dict[str, int] = {"a": 10}
    tags: list[str] = ["x"]


# --- what files may say ---------------------------------------------------------------------------------------------

Number = st.integers(0, 99)
Word = st.sampled_from(["a", "b", "$$c"])
LAYER_PARTS = ["layer0.yaml", "layer1.json", "layer2.yaml"]
OPTIMIZER_PARTS = ["optimizer0.json", "optimizer1.yaml"]
FILES = ["file0.yaml", "file1.json", "file2.yaml", "file3.json"]
A_LAYER = st.fixed_dictionaries({}, optional={"width": Number, "act": st.sampled_from("pq")})
AN_OPTIMIZER = st.one_of(
    st.fixed_dictionaries({"kind": st.just("sgd")}, optional={"lr": Number, "momentum": Number}),
    st.fixed_dictionaries({"kind": st.just("adamw")}, optional={"lr": Number, "beta": Number}),
    st.fixed_dictionaries({}, optional={"lr": Number}),
)


@st.composite
def doing(
    draw: st.DrawFn, own: st.SearchStrategy[Tree], *, extends: Sequence[str] = (), deletes: Sequence[str] = ()
) -> Tree:
    """A mapping that does something beside what it says."""
    tree = draw(own)
    # A replaced section of variants names its kind.
    if draw(st.sampled_from([False, False, True])) and (own is not AN_OPTIMIZER or "kind" in tree):
        tree["$replace"] = draw(st.booleans())
    if deletes and draw(st.sampled_from([False, True])):
        tree["$delete"] = draw(st.sampled_from(deletes) | st.lists(st.sampled_from(deletes), max_size=2, unique=True))
    mounts = draw(st.booleans())
    if extends and mounts:
        tree["$extends"] = draw(st.sampled_from(extends) | st.lists(st.sampled_from(extends), max_size=3, unique=True))
    return dict(draw(st.permutations(list(tree.items()))))


def layers(extends: Sequence[str]) -> st.SearchStrategy[Tree]:
    return doing(A_LAYER, extends=extends, deletes=["width", "act"])


def optimizers(extends: Sequence[str]) -> st.SearchStrategy[Tree]:
    return doing(AN_OPTIMIZER, extends=extends, deletes=["lr"])


WHOLE = st.fixed_dictionaries(
    {},
    optional={
        "epochs": Number,
        "layer": layers(LAYER_PARTS),
        "option": st.none() | layers(LAYER_PARTS),
        "optimizer": optimizers(OPTIMIZER_PARTS),
        "layers": st.lists(layers(LAYER_PARTS), max_size=2),
        "groups": doing(st.dictionaries(Word, layers(LAYER_PARTS), max_size=2), deletes=["a", "b.width"]),
        "rates": doing(st.dictionaries(Word, Number, max_size=2), deletes=["a", "b", '["$c"]']),
        "tags": st.lists(st.sampled_from("pq"), max_size=2),
    },
)
DELETED = ["epochs", "layer", "layer.width", "option", "option.width", "optimizer", "optimizer.lr", "layers"]
DELETED += ["groups", "groups.a", "groups.a.width", "rates", "rates.a", "tags"]


@st.composite
def folders(draw: st.DrawFn) -> dict[str, Tree]:
    """Files by name, each of which extends and mounts those before it only."""
    found: dict[str, Tree] = {}
    for number, name in enumerate(LAYER_PARTS):
        found[name] = draw(layers(LAYER_PARTS[:number]))
    for number, name in enumerate(OPTIMIZER_PARTS):
        found[name] = draw(optimizers(OPTIMIZER_PARTS[:number]))
    for number, name in enumerate(FILES):
        found[name] = draw(doing(WHOLE, extends=FILES[:number], deletes=DELETED))
    return found


# --- the naive reading ----------------------------------------------------------------------------------------------

DEFAULTS: Tree = {
    "epochs": 5,
    "layer": {"width": 6},
    "option": None,
    "layers": [{"width": 7}],
    "groups": {"a": {"width": 9}},
    "rates": {"a": 10},
    "tags": ["x"],
}
FULL: dict[str, Tree] = {"sgd": {"lr": 1, "momentum": 2}, "adamw": {"lr": 3, "beta": 4}}
ALONE = "nothing weaker"
"""Marks a mapping that replaced what was there, defaults too."""


class Reading:
    """Files read one after the other, each into one tree of what was said."""

    def __init__(self, files: dict[str, Tree]) -> None:
        self.files = files
        self.said: Tree = {}
        self.voices: list[tuple[str, Tree, list[str]]] = []
        """For the optimizer: a kind, what is set, and what is taken back before that."""
        self.laid: dict[tuple[str, Steps], int] = {}
        self.mounted: list[tuple[str, Steps, int]] = []
        self.count = 0
        self.is_contradictory = False

    def lay(self, names: Sequence[str], place: Steps = (), *, is_mount: bool = False) -> None:
        """Say what files say, each at its first place alone."""
        kept = [self.laid[name, place] for name in names if (name, place) in self.laid]
        for name in names:
            if (name, place) not in self.laid:
                self.say(self.files[name], place, is_top=True)
                self.count += 1
                self.laid[name, place] = self.count
                self.mounted += [(name, place, self.count)] if is_mount else []
        heights = [self.laid[name, place] for name in names if (name, place) in self.laid]
        others = [height for name, where, height in self.mounted if where == place and name not in names]
        sinks = is_mount and any(height > low for height in others for low in kept)
        self.is_contradictory |= heights != sorted(heights) or sinks

    def say(self, tree: Tree, place: Steps, *, is_top: bool = False) -> None:
        """Replace, delete, extend, own keys."""
        own = {
            key.replace("$$", "$", 1): value for key, value in tree.items() if not key.startswith("$") or "$$" in key
        }
        parts, deleted = listed(tree.get("$extends", [])), listed(tree.get("$delete", []))
        if place[:1] == ("optimizer",):
            self.say_optimizer(own, tree, parts, deleted, is_top=is_top)
            return
        if tree.get("$replace"):
            self.take_away(place)
            self.put(place, {ALONE: True})
        for key in deleted:
            self.take_back((*place, *key.replace('["$c"]', "$c").split(".")))
        self.lay(parts, place, is_mount=not is_top)
        for key, value in own.items():
            self.say_value(value, (*place, key))

    def say_value(self, value: Any, place: Steps) -> None:
        if isinstance(value, dict):
            self.mapping(place)
            self.say(value, place)
            return
        self.take_away(place)
        self.put(
            place, [{} if isinstance(item, dict) else item for item in value] if isinstance(value, list) else value
        )
        if isinstance(value, list):
            for position, item in enumerate(value):
                if isinstance(item, dict):
                    self.say(item, (*place, position))

    def say_optimizer(self, own: Tree, tree: Tree, parts: Sequence[str], deleted: list[str], *, is_top: bool) -> None:
        """A voice is of the kind that it names, or else of the one in force."""
        if tree.get("$replace"):
            self.take_away(("optimizer",))
        if "kind" in own or deleted:
            self.voices.append((own.get("kind", self.kind), {}, deleted))
        self.lay(parts, ("optimizer",), is_mount=not is_top)
        self.voices.append((own.get("kind", self.kind), {k: v for k, v in own.items() if k != "kind"}, []))

    # --- the tree ---

    @property
    def kind(self) -> str:
        return self.voices[-1][0] if self.voices else "adamw"

    def mapping(self, place: Steps) -> Any:
        """The mapping or list at a place, made if there is none."""
        node: Any = self.said
        for step in place:
            if isinstance(node, list):
                node = node[int(step)]
            else:
                if not isinstance(node.get(step), (dict, list)):
                    node[step] = {}
                node = node[step]
        return node

    def put(self, place: Steps, value: Any) -> None:
        if not place:
            self.said.clear()
        else:
            self.mapping(place[:-1])[place[-1]] = value

    def take_away(self, place: Steps) -> None:
        """Forget what was laid at a place and below, so that it may be laid again."""
        self.laid = {key: height for key, height in self.laid.items() if key[1][: len(place)] != place}
        if place in {(), ("optimizer",)}:
            self.voices.clear()

    def take_back(self, place: Steps) -> None:
        """Let a key go back to its default."""
        if place[0] == "optimizer" and len(place) == 2:
            self.voices.append((self.kind, {}, [str(place[1])]))
            return
        self.take_away(place)
        node: Any = self.said
        for step in place[:-1]:
            node = node[int(step)] if isinstance(node, list) else node.get(step) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node.pop(place[-1], None)

    def result(self) -> Tree:
        found = over(DEFAULTS, self.said)
        layer = {"width": 8, "act": "relu"}
        optimizer: Tree = {}
        for kind, settings, deleted in self.voices:
            if kind == self.kind:
                optimizer = {key: value for key, value in optimizer.items() if key not in deleted} | settings
        return {
            **found,
            "layer": {**layer, **found["layer"]},
            "option": None if found["option"] is None else {**layer, **found["option"]},
            "optimizer": {"kind": self.kind, **FULL[self.kind], **optimizer},
            "layers": [{**layer, **item} for item in found["layers"]],
            "groups": {name: {**layer, **item} for name, item in found["groups"].items()},
        }


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def over(below: Any, above: Any) -> Any:
    """Mappings merge key by key; all else replaces."""
    if isinstance(above, list):
        return [over({}, item) for item in above]
    if not isinstance(above, dict):
        return above
    base = below if isinstance(below, dict) and ALONE not in above else {}
    own = {key: over(base.get(key), value) for key, value in above.items() if key != ALONE}
    return {**base, **own}


# --- both -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _in_a_folder() -> Iterator[None]:
    with TemporaryDirectory() as folder, chdir(folder):
        yield


def compiled(files: dict[str, Tree], names: Sequence[str]) -> Config[Params] | None:
    """What files compile to; nothing where their order contradicts itself."""
    for name, tree in files.items():
        Path(name).write_text(json.dumps(tree) if name.endswith(".json") else yaml.safe_dump(tree, sort_keys=False))
    try:
        return Params.compile(*names)
    except ConfigError as error:
        assert all("but stands below" in problem.what for problem in error.problems)  # noqa: PT017  # may be raised
        return None


NAMES = st.lists(st.sampled_from(FILES), min_size=1, max_size=3, unique=True)


@given(files=folders(), names=NAMES)
def test_files_compile_to_what_a_naive_reading_says(files: dict[str, Tree], names: list[str]) -> None:
    reading = Reading(files)
    reading.lay(names)

    config = compiled(files, names)

    event("contradictory" if config is None else "compiled")
    assert (config is None) == reading.is_contradictory
    if config is not None:
        assert config.plain() == reading.result()


@given(files=folders(), names=NAMES)
def test_files_that_are_listed_are_a_file_that_extends_them(files: dict[str, Tree], names: list[str]) -> None:
    one, other = compiled(files, names), compiled({**files, "all.json": {"$extends": names}}, ["all.json"])

    assert one == other
    assert one is None or other is None or one.fingerprint == other.fingerprint


@given(files=folders(), names=NAMES)
def test_what_files_compile_to_is_saved_and_read_back(files: dict[str, Tree], names: list[str]) -> None:
    config = compiled(files, names)
    if config is not None:
        for saved in ("saved.yaml", "saved.json", "saved.toml"):
            Path(saved).unlink(missing_ok=True)
            if not (saved.endswith("toml") and config.params.option is None):
                config.save(saved)
                assert Params.load(saved) == config

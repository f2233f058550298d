"""Arguments that edit lists and mappings do to them what the same edits do to plain lists and mappings."""

from copy import deepcopy
from typing import Any, TypeAlias

from hypothesis import event, example, given
from hypothesis import strategies as st

from typedcfg import ConfigError, ConfigTemplate, section

Tree: TypeAlias = dict[str, Any]
Do: TypeAlias = tuple[str, ...]


class Layer(ConfigTemplate):
    width: int = 8
    act: str = "relu"


class Params(ConfigTemplate):
    strides: list[int] = [2, 4]
    tags: list[str] = ["x", "y"]
    layers: list[Layer] = [Layer(width=1), Layer(width=2)]
    rates: dict[str, int] = {"a": 10}
    groups: dict[str, Layer] = {"a": Layer(width=9)}
    layer: Layer = section(Layer, width=6)


DEFAULTS: Tree = {
    "strides": [2, 4],
    "tags": ["x", "y"],
    "layers": [{"width": 1}, {"width": 2}],
    "rates": {"a": 10},
    "groups": {"a": {"width": 9}},
    "layer": {"width": 6},
}

# --- what may be said -----------------------------------------------------------------------------------------------

Number = st.integers(0, 5)
Letter = st.sampled_from("pxy")
Name = st.sampled_from("abc")
Position = st.integers(-3, 3)
A_LAYER = st.fixed_dictionaries({}, optional={"width": Number, "act": Letter})
A_PRESET = st.fixed_dictionaries(
    {},
    optional={
        "strides": st.lists(Number, max_size=3),
        "tags": st.lists(Letter, max_size=3),
        "layers": st.lists(A_LAYER, max_size=3),
        "rates": st.dictionaries(Name, Number, max_size=2),
        "groups": st.dictionaries(Name, A_LAYER, max_size=2),
        "layer": A_LAYER,
    },
)


def edits(key: str, items: st.SearchStrategy[Any]) -> st.SearchStrategy[Do]:
    """What may be done to a list of values."""
    several = st.lists(items, max_size=3)
    return st.one_of(
        st.tuples(st.just("set"), st.just(key), several),
        st.tuples(st.just("append"), st.just(key), items | several),
        st.tuples(st.just("remove"), st.just(key), items | several),
        st.tuples(st.just("set"), st.just(key), Position, items),
        st.tuples(st.just("reset"), st.just(key), Position),
        st.tuples(st.just("reset"), st.just(key)),
    )


def inline(own: st.SearchStrategy[Tree], names: st.SearchStrategy[str]) -> st.SearchStrategy[Tree]:
    """A mapping as an argument has it."""
    doing = st.sampled_from([{}, {}, {"$replace": True}]) | st.fixed_dictionaries({"$delete": names})
    return st.builds(lambda done, said: {**done, **said}, doing, own)


LAYERS = inline(A_LAYER, st.sampled_from(["width", "act"]))
AN_EDIT = st.one_of(
    edits("strides", Number),
    edits("tags", Letter),
    st.tuples(st.just("set"), st.just("layers"), st.lists(A_LAYER, max_size=3)),
    st.tuples(st.just("append"), st.just("layers"), A_LAYER | st.lists(A_LAYER, max_size=2)),
    st.tuples(st.just("set"), st.just("layers"), Position, LAYERS),
    st.tuples(st.just("set"), st.just("layers"), Position, st.just("width"), Number),
    st.tuples(st.just("reset"), st.just("layers"), Position),
    st.tuples(st.just("reset"), st.just("layers"), Position, st.just("width")),
    st.tuples(st.just("reset"), st.sampled_from(["layers", "rates", "groups", "layer"])),
    st.tuples(st.just("set"), st.just("rates"), Name, Number),
    st.tuples(st.just("set"), st.just("rates"), inline(st.dictionaries(Name, Number, max_size=2), Name)),
    st.tuples(st.just("remove"), st.sampled_from(["rates", "groups"]), Name | st.lists(Name, max_size=2)),
    st.tuples(st.just("reset"), st.sampled_from(["rates", "groups"]), Name),
    st.tuples(st.just("set"), st.just("groups"), Name, LAYERS),
    st.tuples(st.just("set"), st.just("groups"), Name, st.just("act"), Letter),
    st.tuples(st.just("set"), st.just("groups"), inline(st.dictionaries(Name, A_LAYER, max_size=2), Name)),
    st.tuples(st.just("reset"), st.just("groups"), Name, st.just("width")),
    st.tuples(st.just("set"), st.just("layer"), LAYERS),
    st.tuples(st.just("set"), st.just("layer"), st.just("width"), Number),
    st.tuples(st.just("reset"), st.just("layer"), st.sampled_from(["width", "act"])),
)


def written(edit: Any) -> str:
    """The argument that says an edit."""
    verb, first, *rest = edit
    value = "" if verb == "reset" else flow(rest.pop())
    key = first + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest)
    return {"set": f"{key}={value}", "append": f"{key}+={value}", "remove": f"{key}-={value}", "reset": f"~{key}"}[verb]


def flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return "true" if value is True else str(value)


# --- the naive model ------------------------------------------------------------------------------------------------


class Missed(Exception):
    """There is nothing that an edit could be made to."""


class Node:
    """A value with the default that it goes back to; what mappings and lists hold are such values."""

    def __init__(self, value: Any = None, default: Any = None, *, has_default: bool = False) -> None:
        self.default = default
        self.has_default = has_default
        self.held: Any = None
        if has_default:
            self.hold(default, is_default=True)
        else:
            self.hold(value)

    def hold(self, value: Any, *, is_default: bool = False) -> None:
        """Be this value, and nothing that was before."""

        def within(item: Any) -> Node:
            return Node(default=item, has_default=True) if is_default else Node(item)

        if isinstance(value, dict):
            self.held = {key: within(item) for key, item in value.items() if not key.startswith("$")}
        elif isinstance(value, list):
            self.held = list(map(within, value))
        else:
            self.held = value

    def set(self, value: Any) -> None:
        """Merge a mapping; be anything else."""
        if not isinstance(value, dict) or not isinstance(self.held, dict):
            self.hold(value)
            return
        if value.get("$replace"):
            self.held = {}
        if "$delete" in value:
            self.reset(value["$delete"])
        for key, item in value.items():
            if key.startswith("$"):
                continue
            if key in self.held:
                self.held[key].set(item)
            else:
                self.held[key] = Node(item)

    def reset(self, step: Any) -> None:
        """Let one entry go back to its default, or go."""
        if isinstance(self.held, dict):
            if step in self.held and self.held[step].has_default:
                self.held[step] = Node(default=self.held[step].default, has_default=True)
            else:
                self.held.pop(step, None)
            return
        node = self.at(step)
        if node.has_default:
            self.held[step] = Node(default=node.default, has_default=True)
        else:
            del self.held[step]

    def at(self, step: Any) -> "Node":
        if isinstance(self.held, list) and not -len(self.held) <= step < len(self.held):
            raise Missed
        if isinstance(self.held, dict) and step not in self.held:
            self.held[step] = Node({})
        found: Node = self.held[step]
        return found

    def append(self, value: Any) -> None:
        self.held += [Node(item) for item in (value if isinstance(value, list) else [value])]

    def remove(self, value: Any) -> None:
        """Take out every item, or the key; each must be there."""
        for gone in value if isinstance(value, list) else [value]:
            if isinstance(self.held, dict):
                if gone not in self.held:
                    raise Missed
                del self.held[gone]
            else:
                kept = [node for node in self.held if node.held != gone]
                if len(kept) == len(self.held):
                    raise Missed
                self.held[:] = kept

    def plain(self) -> Any:
        if isinstance(self.held, dict):
            return {key: node.plain() for key, node in self.held.items()}
        return [node.plain() for node in self.held] if isinstance(self.held, list) else self.held


def naive(presets: list[Tree], said: list[Any]) -> Tree | None:
    """What is left of the defaults after all that was said; nothing where an edit that counts misses."""
    top = Node(default=deepcopy(DEFAULTS), has_default=True)
    for preset in presets:
        top.set(preset)
    missed: set[str] = set()
    for verb, key, *rest in said:
        value = None if verb == "reset" else rest.pop()
        is_anew = isinstance(value, list) or (isinstance(value, dict) and "$replace" in value)
        if not rest and (verb == "reset" or (verb == "set" and is_anew)):
            missed.discard(key)  # what is written anew does not need what was there
        if key not in missed:
            try:
                carry_out(top, verb, [key, *rest], value)
            except Missed:
                missed.add(key)
    layer = {"width": 8, "act": "relu"}
    found: Tree = top.plain()
    found["layers"] = [{**layer, **item} for item in found["layers"]]
    found["groups"] = {name: {**layer, **item} for name, item in found["groups"].items()}
    found["layer"] = {**layer, **found["layer"]}
    return None if missed else found


def carry_out(top: Node, verb: str, steps: list[Any], value: Any) -> None:
    """Make one edit."""
    *above, last = steps
    holder = top
    for step in above:
        if verb == "reset" and isinstance(holder.held, dict) and step not in holder.held:
            return
        holder = holder.at(step)
    if verb == "reset":
        holder.reset(last)
    elif verb == "set" and isinstance(holder.held, dict) and last not in holder.held:
        holder.held[last] = Node(value)
    else:
        getattr(holder.at(last), verb)(value)


@given(presets=st.lists(A_PRESET, max_size=1), said=st.lists(AN_EDIT, max_size=6))
@example(presets=[], said=[("reset", "groups", "b", "width"), ("remove", "groups", "b")])
@example(presets=[], said=[("set", "strides", 0, 3), ("remove", "strides", 3)])
def test_edits_do_what_they_do_to_plain_lists_and_mappings(presets: list[Tree], said: list[Any]) -> None:
    expected = naive(presets, said)
    try:
        found = Params.compile(presets=presets, overrides=list(map(written, said))).plain()
    except ConfigError:
        found = None

    event("missed" if found is None else "edited")
    assert found == expected, list(map(written, said))

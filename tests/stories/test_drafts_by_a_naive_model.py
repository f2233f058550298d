"""Drafts of lists do what the same statements do to plain lists, whatever came before."""

from collections.abc import Callable
from typing import Any, TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from typedcfg import ConfigTemplate

Tree: TypeAlias = dict[str, Any]


class Layer(ConfigTemplate):
    width: int = 8
    act: str = "relu"


class Params(ConfigTemplate):
    layers: list[Layer] = []


WHOLE: Tree = {"width": 8, "act": "relu"}
Number = st.integers(0, 5)
Position = st.integers(-4, 4)
A_LAYER = st.fixed_dictionaries({}, optional={"width": Number, "act": st.sampled_from("pxy")})
Layers = st.lists(A_LAYER, max_size=3)
Span = st.tuples(Position | st.none(), Position | st.none())
A_STEP = st.one_of(
    st.tuples(st.just("set width"), Position, Number),
    st.tuples(st.just("reset width"), Position),
    st.tuples(st.just("set"), Position, A_LAYER),
    st.tuples(st.just("delete"), Position),
    st.tuples(st.just("append"), A_LAYER),
    st.tuples(st.just("extend"), Layers),
    st.tuples(st.just("insert"), Position, A_LAYER),
    st.tuples(st.just("pop"), Position),
    st.tuples(st.just("set slice"), Span, Layers),
    st.tuples(st.just("delete slice"), Span),
    st.tuples(st.sampled_from(["reverse", "sort", "clear", "lock"])),
)


class Plain(dict[str, Any]):
    """A layer as a mapping, whose keys go back to their defaults."""

    def __init__(self, layer: Tree) -> None:
        super().__init__(WHOLE | layer)

    def __delitem__(self, key: str) -> None:
        self[key] = WHOLE[key]


def set_width(layers: Any, at: int, number: int) -> None:
    layers[at]["width"] = number


def reset_width(layers: Any, at: int) -> None:
    del layers[at]["width"]


def set_item(layers: Any, at: int, layer: Any) -> None:
    layers[at] = layer


def set_slice(layers: Any, span: Any, some: list[Any]) -> None:
    layers[span[0] : span[1]] = some


def delete(layers: Any, at: int) -> None:
    del layers[at]


def delete_slice(layers: Any, span: Any) -> None:
    del layers[span[0] : span[1]]


STATEMENTS: dict[str, Callable[..., object]] = {
    "set width": set_width,
    "reset width": reset_width,
    "set": set_item,
    "set slice": set_slice,
    "delete": delete,
    "delete slice": delete_slice,
    "append": lambda layers, layer: layers.append(layer),
    "extend": lambda layers, some: layers.extend(some),
    "insert": lambda layers, at, layer: layers.insert(at, layer),
    "pop": lambda layers, at: layers.pop(at),
    "reverse": lambda layers: layers.reverse(),
    "clear": lambda layers: layers.clear(),
    "sort": lambda layers: layers.sort(key=lambda layer: layer["width"]),
}


def done(layers: Any, step: Any, make: Callable[[Tree], Any]) -> bool:
    """Carry out the statement of a step; whether it found what it was about."""
    verb, *given = step
    made = [make(one) if isinstance(one, dict) else one for one in given]
    made = [list(map(make, one)) if isinstance(one, list) else one for one in made]
    try:
        STATEMENTS[verb](layers, *made)
    except IndexError:
        return False
    return True


@given(begin=Layers, steps=st.lists(A_STEP, max_size=8))
def test_statements_do_to_a_draft_what_they_do_to_a_list(begin: list[Tree], steps: list[Any]) -> None:
    plain: list[Plain] = list(map(Plain, begin))
    base = Params.compile(presets=[{"layers": begin}])
    draft = base.unlock()
    for step in steps:
        if step == ("lock",):
            draft = draft.lock().unlock()
            continue
        assert done(draft.layers, step, dict) == done(plain, step, Plain)
        assert draft.layers == plain

    config, other = draft.lock(), base.unlock()
    other.apply(base.diff(config))
    assert config.plain()["layers"] == plain
    assert other.lock() == config

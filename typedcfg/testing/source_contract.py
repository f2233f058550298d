"""What every source promises, as tests to inherit."""

from collections.abc import Iterator, Sequence

from typedcfg.compiler.precedence import SETTABLE, in_order
from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Items, Layer, Positions, Source, is_unsettled

_Holder = Branch | Items | Positions


class SourceContract:
    """Inherit it in a class that pytest collects, and say what your source is.

    Example:
        >>> from typedcfg.sources.mapping import MappingSource
        >>> class TestMapping(SourceContract):
        ...     def make_source(self) -> Source:
        ...         return MappingSource("defaults of the site", {"lr": 0.1})
    """

    def make_source(self) -> Source:
        """A source that has something to say; called anew for each test."""
        raise NotImplementedError(f"{type(self).__qualname__}.make_source() returns the source that is tested")

    def make_broken_source(self) -> Source | None:
        """One whose settings cannot be read, for a reason that its user can mend; None if there is no such thing."""
        return None

    def test_a_source_gives_layers_with_something_in_them(self) -> None:
        layers = list(self.make_source().read())

        assert layers, "make_source() returns a source that gives no layer: the other tests would look at nothing"
        for layer in layers:
            assert isinstance(layer, Layer), f"read() gives a {type(layer).__name__}, and no Layer"
            assert layer.name, "a layer has no name: explain could not tell it from others"
            assert any(layer.roots), f"{layer.name!r} sets nothing: leave such a layer out"

    def test_every_strength_has_a_rank(self) -> None:
        for layer in self.make_source().read():
            assert layer.strength in SETTABLE, f"{layer.name!r} is of strength {layer.strength!r}, not of {SETTABLE}"

    def test_layers_come_weakest_first(self) -> None:
        layers = list(self.make_source().read())

        assert in_order(layers) == layers, f"{[layer.strength for layer in layers]} is not weakest first"

    def test_every_setting_has_its_place(self) -> None:
        for layer, holder in _holders(self.make_source()):
            assert _is_place(holder.origin), f"{layer.name!r} has a {type(holder).__name__} without a place: {holder}"
            keys = range(len(holder)) if isinstance(holder, Items) else holder.keys()
            origins = range(len(holder.origins)) if isinstance(holder.origins, list) else holder.origins.keys()
            assert set(keys) == set(origins), f"{layer.name!r} has places for {origins}, and settings for {keys}"
            places = holder.origins if isinstance(holder.origins, list) else holder.origins.values()
            assert all(map(_is_place, places)), f"{layer.name!r} has settings without a place: {holder}"

    def test_what_holds_mappings_and_lists_is_made_of_ours(self) -> None:
        for layer, holder in _holders(self.make_source()):
            for value in _values(holder):
                is_plain = isinstance(value, (dict, list)) and not isinstance(value, _Holder)
                assert not is_plain, f"{layer.name!r} holds a plain {type(value).__name__}, whose keys have no place"

    def test_what_is_not_settled_says_so(self) -> None:
        for layer, holder in _holders(self.make_source()):
            if any(map(is_unsettled, _values(holder))):
                assert holder.unsettled, f"{layer.name!r} holds references or bare text and is not marked: use put()"

    def test_reading_twice_gives_the_same(self) -> None:
        source = self.make_source()

        assert list(source.read()) == list(source.read()), "read() gives something else the second time"

    def test_what_is_wrong_is_told_with_its_place(self) -> None:
        source = self.make_broken_source()
        if source is None:
            _skip("make_broken_source() returns None")
            return
        problems = _problems(source)

        assert problems, "make_broken_source() returns a source that can be read"
        for problem in problems:
            assert problem.where, f"a problem without a place: {problem}"


def _problems(source: Source) -> tuple[Problem, ...]:
    try:
        list(source.read())
    except ConfigError as error:
        return error.problems
    return ()


def _holders(source: Source) -> Iterator[tuple[Layer, _Holder]]:
    """Every mapping and list of every layer."""
    for layer in source.read():
        todo: list[object] = [*layer.roots]
        while todo:
            holder = todo.pop()
            if isinstance(holder, _Holder):
                yield layer, holder
                todo += _values(holder)


def _values(holder: _Holder) -> Sequence[object]:
    return [*holder] if isinstance(holder, Items) else [*holder.values()]


def _is_place(origin: object) -> bool:
    return isinstance(origin, Origin) and bool(origin.source)


def _skip(reason: str) -> None:
    try:
        import pytest
    except ImportError:
        raise AssertionError(f"{reason}, and without pytest no test can be skipped: pip install pytest") from None
    pytest.skip(reason)

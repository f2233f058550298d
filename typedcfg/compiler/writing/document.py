"""A configuration as a document: what a file says that gives it back."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from typedcfg.compiler.descent import Descent
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.compiler.story import Story
from typedcfg.compiler.writing.plain import plain
from typedcfg.errors import Problem, UnsupportedValue
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Layer, branch_from
from typedcfg.sources.escapes import Instruction, literal
from typedcfg.sources.instructions import REPLACE
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import catalog_of
from typedcfg.template.leaves import iter_leaves

_MOST_BITS: Final = 4096
"""Of an integer that can be read; Python would not even write one of many more."""


def document(section: ConfigTemplate, *, has_null: bool = True) -> dict[str, Any]:
    """Every value of a section but its secrets, as a document has it.

    A mapping that lacks a key of its default is marked `$replace`: read as it is, it would be merged with it.

    Args:
        section: What is written.
        has_null: Whether the format has a word for None. Where it has none, a field that is None by default is left
            out, and comes back.

    Raises:
        UnsupportedValue: A value cannot be written.
    """
    tree = writable(plain(section))
    _Marker(section, tree, has_null=has_null).section(section, tree, ())
    return tree


def to_yaml(section: ConfigTemplate, story: Story, above: KeyPath, *, origins: bool) -> str:
    """A section as YAML, with where each value came from behind it if that is wanted."""
    from typedcfg.sources.yaml_writer import write_yaml

    comments: dict[KeyPath, str] = {(): left_out(section)}
    if origins:
        comments |= {
            path[len(above) :]: text
            for leaf in iter_leaves(section)
            for path, text in _origins(story, (*above, *leaf.path), leaf.value)
        }
    return write_yaml(document(section), comments=comments)


def _origins(story: Story, path: KeyPath, value: object) -> Iterator[tuple[KeyPath, str]]:
    """Where a value came from; what several settings made together is told entry by entry."""
    from typedcfg.compiler.explain import origin_text

    place = story.descent.place(path)
    entries: Iterable[tuple[Any, object]] = ()
    if place is not None and len(place.live) > 1 and isinstance(value, (Mapping, list)):
        entries = enumerate(value) if isinstance(value, list) else ((str(key), item) for key, item in value.items())
    if value and entries:
        for step, entry in entries:
            yield from _origins(story, (*path, step), entry)
    else:
        yield path, origin_text(story, path)


def to_json(section: ConfigTemplate) -> str:
    """A section as JSON."""
    from typedcfg.sources.json_writer import write_json

    return write_json(document(section))


def to_toml(section: ConfigTemplate) -> str:
    """A section as TOML.

    Raises:
        UnsupportedValue: A value is None that is not so by default.
    """
    return toml_of(document(section, has_null=False), header=left_out(section))


def toml_of(tree: Mapping[str, Any], *, header: str = "") -> str:
    """A plain tree as TOML.

    Raises:
        UnsupportedValue: A value is None.
    """
    from typedcfg.sources.toml_writer import write_toml

    if problems := tuple(_nulls(tree, ())):
        raise UnsupportedValue(*problems)
    return write_toml(tree, header=header)


def left_out(section: ConfigTemplate) -> str:
    """What a document says of the secrets that it does not hold; nothing where there are none."""
    secret = (leaf for leaf in iter_leaves(section) if leaf.entry.is_secret and leaf.value is not None)
    return "\n".join(f"{render_key_path(leaf.path)} is a secret, and not written" for leaf in secret)


def writable(tree: dict[str, Any]) -> dict[str, Any]:
    """A plain tree, if every format has words for what it holds.

    Raises:
        UnsupportedValue: None has; each such value is named.
    """
    if problems := tuple(_unwritable(tree, ())):
        raise UnsupportedValue(*problems)
    return tree


def _unwritable(value: object, path: KeyPath) -> Iterator[Problem]:
    """What no format has a word for, whatever its type."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _unwritable(key, path)
            yield from _unwritable(item, (*path, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _unwritable(item, (*path, position))
    elif isinstance(value, int) and value.bit_length() > _MOST_BITS:
        what = f"{_named(path)} is an integer of {value.bit_length()} bits, and {_MOST_BITS} are read"
        yield Problem(what, fix="hold it as text, in hexadecimal")
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            what = (
                f"{_named(path)} is a text with half of a surrogate pair, at column {error.start + 1}: it has no UTF-8"
            )
            yield Problem(
                what, fix="a file name or text that is not UTF-8 can be held in hexadecimal: os.fsencode(x).hex()"
            )


def _nulls(value: object, path: KeyPath) -> Iterator[Problem]:
    entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for step, item in entries:
        if item is None:
            what = f"{_named((*path, step))} is null, which TOML has no word for"
            yield Problem(what, fix="save it as YAML or JSON")
        yield from _nulls(item, (*path, step))


def _named(path: KeyPath) -> str:
    # What cannot be written cannot be shown either.
    return render_key_path(path).encode(errors="backslashreplace").decode()


class _Marker:
    """Makes of values what a document says, in place."""

    def __init__(self, section: ConfigTemplate, tree: Mapping[str, object], *, has_null: bool) -> None:
        self._template = type(section)
        self._tree = tree
        self._has_null = has_null

    @cached_property
    def _descent(self) -> Descent:
        """The way down through the document and the defaults below it: only mappings ask for it."""
        said = literal(self._tree)
        assert isinstance(said, dict), "a mapping is written as one"
        return Descent(self._template, [Layer("document", "files", (branch_from(said, Origin("document")),))])

    def section(self, section: ConfigTemplate, tree: dict[str, Any], path: KeyPath) -> None:
        """Mark what a section holds."""
        for name, entry in catalog_of(type(section)).entries.items():
            if name not in tree:
                continue
            if tree[name] is None and not self._has_null and entry.has_default and entry.default() is None:
                del tree[name]
            else:
                tree[name] = self._marked(getattr(section, name), tree[name], (*path, name))

    def _marked(self, value: object, said: Any, path: KeyPath) -> Any:
        if isinstance(value, ConfigTemplate):
            self.section(value, said, path)
        elif isinstance(value, (list, tuple)) and _holds_sections(value):
            for position, item in enumerate(value):
                self._marked(item, said[position], (*path, position))
        elif isinstance(value, Mapping) and isinstance(said, dict):
            # Asked first: what it holds is marked in place.
            is_whole = self._shows_through(said, path, is_free=not _holds_sections(value))
            for (key, inner), item in zip(said.items(), value.values(), strict=True):
                if isinstance(item, ConfigTemplate) or _holds_sections(item):
                    self._marked(item, inner, (*path, key))
            return {Instruction(REPLACE): True, **said} if is_whole else said
        return said

    def _shows_through(self, said: Mapping[str, object], path: KeyPath, *, is_free: bool) -> bool:
        """Whether a default would add something to what is said, or change its order."""
        place = self._descent.place(path)
        live = place.live if place is not None else []
        return any(c.layer.strength == DEFAULTS and _changes(c.value, said, is_free=is_free) for c in live)


def _changes(default: object, said: object, *, is_free: bool) -> bool:
    if not (isinstance(default, Branch) and isinstance(said, Mapping)):
        return False
    if list(said) != [*default, *(key for key in said if key not in default)]:
        return True
    # Of a section every key is said, in the order in which the template has them.
    return is_free and any(_changes(value, said[key], is_free=True) for key, value in default.items())


def _holds_sections(value: object) -> bool:
    """Whether sections lie in a list or mapping, or in those within it."""
    held = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return any(isinstance(item, ConfigTemplate) or _holds_sections(item) for item in held)

"""What help says, before it is laid out: fields with the defaults that count where they stand, and their sections."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias

from typedcfg.errors import MissingKey, Problem
from typedcfg.key_path import KeyPath, KeyPathError, parse_key_path, render_key_path
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of
from typedcfg.template.derived import SectionDefault
from typedcfg.template.descriptions import descriptions_of, summary_of
from typedcfg.template.formula_keys import with_keys
from typedcfg.template.marks import NotInIdentity
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, VariantsNode
from typedcfg.template.old_names import present_path
from typedcfg.template.type_text import yaml_text
from typedcfg.template.variants import KIND, current_kinds, kinds_of
from typedcfg.text import nearest, one_of

SECRET: Final = "a secret, not shown"  # noqa: S105  # what stands instead of one


class Nothing(Enum):
    """There is no default: somebody must set the field, or a formula does."""

    NOTHING = "nothing"


NOTHING: Final = Nothing.NOTHING

_PLACES: Final = re.compile(r'\["?(\w+)"?\]')
"""What stands for a position or a name of one's own in a key: `[i]`, `["name"]`."""

_Around: TypeAlias = tuple[tuple[type[ConfigTemplate], str], ...]
"""The templates around a field and where they stand, so that help of one that holds itself ends."""


class Value(NamedTuple):
    """What one key is in a configuration."""

    key: str
    """With the positions and names that there are: `layers[2].width`."""
    text: str
    origin: str


class Known(NamedTuple):
    """What help is told beside the template."""

    env_prefix: str = ""
    """What variables begin with that set values; empty where none are read."""
    values: Mapping[tuple[str, Entry], Sequence[Value]] = {}
    """What a configuration has for a field, by its key as help writes it; those of no source are left out."""
    kinds: Mapping[str, Sequence[Value]] = {}
    """The kinds in force in a configuration, by the key of the section as help writes it; those of no source too."""


class FieldHelp(NamedTuple):
    """One field, where it stands."""

    key: str
    """From the top: `layers[i].width`."""
    entry: Entry
    description: str
    kind: str
    """The kind of the section that it is a field of; empty where there is no choice."""
    settings: object
    """The default that counts here: the field's own, with what the sections around set over it."""
    is_in_identity: bool
    around: _Around
    known: Known = Known()
    is_alone: bool = False
    """Whether it is shown outside of its section, so that it must say of which kind it is."""

    @property
    def formula(self) -> str:
        """The formula that the default comes from, with keys in it; empty where a value stands instead."""
        derived = self.entry.derived
        return with_keys(derived, self.key) if derived is not None and self.settings is NOTHING else ""

    @property
    def variable(self) -> str:
        """The environment variable that sets it; empty where none are read."""
        if not self.known.env_prefix:
            return ""
        words = self.key.replace(".", "__").upper()
        return self.known.env_prefix + _PLACES.sub(lambda place: f"__<{place[1].lower()}>", words)

    @property
    def values(self) -> Sequence[Value]:
        """What a configuration has here, if one was made."""
        return self.known.values.get((self.key, self.entry), ())

    @property
    def is_required(self) -> bool:
        """Whether somebody must set the field, for no section around it does."""
        return self.settings is NOTHING and self.entry.is_required

    @property
    def has_default(self) -> bool:
        """Whether a plain value counts while nobody sets the field."""
        return self.settings is not NOTHING

    @property
    def is_hidden(self) -> bool:
        """Whether there is a default that must not be shown."""
        return self.entry.is_secret and self.has_default and self.settings is not None

    @property
    def default(self) -> object:
        """The default as plain data, without secrets; of a choice of variants, the kind."""
        if isinstance(self.entry.node, VariantsNode) and isinstance(self.settings, Mapping):
            return self.settings.get(KIND)
        return SECRET if self.is_hidden else _without_secrets(self.settings, self.entry.node)

    @property
    def fallback(self) -> str:
        """What counts while nobody sets the field, in a few words."""
        if self.formula:
            return f"= {self.formula}"
        if self.is_required:
            return "required"
        if not self.has_default or (isinstance(self.entry.node, SectionNode) and self.settings is not None):
            # The fields of a section tell their own defaults.
            return ""
        return f"default {SECRET if self.is_hidden else yaml_text(self.default)}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What else is to be known of the field."""
        notes = [f"of kind {self.kind}"] if self.is_alone and self.kind else []
        if self.entry.mark(NotInIdentity):
            notes.append("not in the identity")
        return (*notes, *self.history)

    @property
    def history(self) -> tuple[str, ...]:
        """What becomes of the field, and what it was."""
        notes = []
        if self.entry.deprecation:
            notes.append(f"deprecated since {self.entry.deprecation.since}: {self.entry.deprecation.instead}")
        if self.entry.old_names:
            notes.append(f"once called {', '.join(self.entry.old_names)}")
        return tuple(notes)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of section that may stand here; none where there is no choice."""
        _, node = _place_of_sections(self.key, self.entry.node)
        return kinds_in(node) if isinstance(node, VariantsNode) else ()

    def sections(self) -> Iterator["SectionHelp"]:
        """The sections that may stand here: one, or one for each kind."""
        key, node = _place_of_sections(self.key, self.entry.node)
        held: Mapping[str, Any] = (
            self.settings if isinstance(self.settings, Mapping) and node is self.entry.node else {}
        )
        templates = [node.template] if isinstance(node, SectionNode) else []
        if isinstance(node, VariantsNode):
            templates = list(dict.fromkeys(node.templates.values()))
        for template in templates:
            is_default = held.get(KIND) in kinds_of(template)
            yield SectionHelp(
                key,
                template,
                kind=one_of(current_kinds(template)) if isinstance(node, VariantsNode) else "",
                is_default_kind=isinstance(node, VariantsNode) and is_default,
                settings=held if is_default or isinstance(node, SectionNode) else {},
                is_in_identity=self.is_in_identity,
                around=self.around,
                known=self.known,
            )


class SectionHelp(NamedTuple):
    """One section, where it stands."""

    key: str
    """Empty for the whole configuration."""
    template: type[ConfigTemplate]
    kind: str = ""
    """The kind that chooses it, where there is a choice."""
    is_default_kind: bool = False
    settings: Mapping[str, Any] = {}
    """What the sections around set over its own defaults."""
    is_in_identity: bool = True
    around: _Around = ()
    known: Known = Known()

    @property
    def chosen_by(self) -> str:
        """What chose this kind in a configuration; empty if nothing did."""
        entry = catalog_of(self.template).entries.get(KIND)
        values = self.known.values.get((f"{self.key}.{KIND}", entry), ()) if self.kind and entry else ()
        return ", ".join(dict.fromkeys(value.origin for value in values))

    @property
    def description(self) -> str:
        """What the class says it is."""
        return summary_of(self.template)

    @property
    def same_as(self) -> str | None:
        """The key of a section around this one that is of the same template, so that its fields are told already."""
        return next((key for template, key in self.around if template is self.template), None)

    def fields(self) -> Iterator[FieldHelp]:
        """The fields, without the `kind` that chose the section."""
        described = descriptions_of(self.template)
        for name, entry in catalog_of(self.template).entries.items():
            if self.kind and entry.is_kind:
                continue
            yield FieldHelp(
                f"{self.key}.{name}" if self.key else name,
                entry,
                described.get(name, ""),
                self.kind,
                _effective(entry, self.settings.get(name, NOTHING)),
                self.is_in_identity and entry.is_in_identity,
                (*self.around, (self.template, self.key)),
                self.known,
            )


def fields_below(section: SectionHelp) -> Iterator[FieldHelp]:
    """Every field below a section, of every kind; of a section within itself, those it has once."""
    for field in section.fields():
        yield field
        for inner in field.sections():
            if inner.same_as is None:
                yield from fields_below(inner)


def find_fields(root: SectionHelp, key: str) -> tuple[FieldHelp, ...]:
    """The fields at a key path: several, where more than one kind has such a field.

    Raises:
        MissingKey: There is none.
    """
    try:
        # As help itself writes a position, and as an override does.
        found = tuple(_find((root,), parse_key_path(key.replace("[i]", "[0]"))))
    except KeyPathError as error:
        raise MissingKey(Problem(str(error), expected="a key path: loader.batch_size, layers[i].width")) from None
    if not found:
        path = parse_key_path(key.replace("[i]", "[0]"))
        today = present_path(root.template, path)
        near = render_key_path(today) if today != path else nearest(key, (field.key for field in fields_below(root)))
        expected = "\n".join(catalog_of(section.template).keys_told for section in _sections_around(root, path))
        raise MissingKey(Problem(f"{root.template.__qualname__} has no key {key!r}", "", expected, near))
    return tuple(field._replace(around=(), is_alone=True) for field in found)


def _find(sections: tuple[SectionHelp, ...], path: KeyPath) -> Iterator[FieldHelp]:
    for field in (field for section in sections for field in section.fields()):
        rest = _after_positions(field.entry.node, path[1:]) if field.entry.name == path[0] else None
        if rest == () or (rest == (KIND,) and any(section.kind for section in field.sections())):
            yield field
        elif rest:
            yield from _find(tuple(field.sections()), rest)


def _sections_around(root: SectionHelp, path: KeyPath) -> Sequence[SectionHelp]:
    """The sections that the longest part of a path leads to, before its last step."""
    for depth in reversed(range(1, len(path))):
        if found := [section for field in _find((root,), path[:depth]) for section in field.sections()]:
            return found
    return (root,)


def _after_positions(node: Node, path: KeyPath) -> KeyPath | None:
    """The rest of a path below a field's lists and mappings; None if it does not lead there."""
    while path and isinstance(node, (ListNode, MapNode)):
        if isinstance(path[0], int) is not isinstance(node, ListNode):
            return None
        node, path = (node.item if isinstance(node, ListNode) else node.value), path[1:]
    if path and isinstance(node, LeafNode):
        return () if node.is_container else None
    return path


def kinds_in(node: VariantsNode) -> tuple[str, ...]:
    """The kinds that choose between variants, by the names that they have today."""
    return tuple(kind for template in dict.fromkeys(node.templates.values()) for kind in current_kinds(template))


def _place_of_sections(key: str, node: Node) -> tuple[str, Node]:
    """Where the sections of a field stand: `layers[i]`, `groups["name"]`."""
    while isinstance(node, (ListNode, MapNode)):
        key, node = (f"{key}[i]", node.item) if isinstance(node, ListNode) else (f'{key}["name"]', node.value)
    return key, node


# --- defaults -------------------------------------------------------------------------------------------------------


def _effective(entry: Entry, given: object) -> object:
    """A field's default, with what a section around it sets."""
    own = _plain(entry.default()) if entry.has_default else NOTHING
    return own if given is NOTHING else _merged(own, given)


def _merged(own: object, given: object) -> object:
    """Settings over settings, key by key as when compiling; those of another kind go."""
    if isinstance(given, _Whole) or not isinstance(own, dict) or not isinstance(given, dict):
        return given
    if given.get(KIND, own.get(KIND)) != own.get(KIND):
        return given
    return own | {key: _merged(own.get(key, NOTHING), value) for key, value in given.items()}


def _plain(value: object) -> object:
    """A default with every section in it as the settings that were made of it."""
    if isinstance(value, SectionDefault):
        return _with_kind(value.template, value.settings)
    if isinstance(value, ConfigTemplate):
        known = vars(value)
        return _with_kind(type(value), {n: known[n] for n in value.model_fields_set if n in known})
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return _Whole((key, _plain(item)) for key, item in value.items())
    return value


class _Whole(dict[object, object]):
    """A mapping that a default holds as a whole; it is not merged with another."""


def _with_kind(template: type[Any], settings: Mapping[str, object]) -> dict[str, object]:
    plain = {name: _plain(value) for name, value in settings.items()}
    return {KIND: current_kinds(template)[0], **plain} if current_kinds(template) else plain


def _without_secrets(value: object, node: Node) -> object:
    """Settings in which nothing is shown that a secret field holds."""
    match node, value:
        case ListNode(item=inner), list():
            return [_without_secrets(item, inner) for item in value]
        case MapNode(value=inner), dict():
            return {key: _without_secrets(item, inner) for key, item in value.items()}
        case ((SectionNode() | VariantsNode()), dict()):
            template = node.template if isinstance(node, SectionNode) else node.templates.get(value.get(KIND, ""))
            entries = catalog_of(template).entries if template is not None else {}
            # A key that the template does not have is not shown: nobody says that it is no secret.
            held = {name: (item, entries[name]) for name, item in value.items() if name in entries}
            return {n: SECRET if e.is_secret else _without_secrets(v, e.node) for n, (v, e) in held.items()}
    return value

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar

import pytest
from annotated_types import Gt, Len
from pydantic import BaseModel, Field, RootModel, SecretBytes, SecretStr, ValidationError, create_model, field_validator
from typing_extensions import TypeAliasType

from typedcfg.errors import TemplateError
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Catalog, Entry, catalog_of, reachable
from typedcfg.template.derived import SectionDefault, derived, section
from typedcfg.template.marks import Kind, RenamedFrom
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, VariantsNode, sections_below
from typedcfg.template.variants import current_kinds, kinds_of

T = TypeVar("T")


class Inner(ConfigTemplate):
    lr: float = 0.1


class NoKind(ConfigTemplate):
    lr: float = 0.1


class Adam(ConfigTemplate):
    kind: Literal["adam", "adamw"] = "adam"


class Sgd(ConfigTemplate):
    kind: Annotated[Literal["sgd"], Kind(renamed_from="msgd")] = "sgd"


class OtherSgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"


class Named(ConfigTemplate):
    kind: Literal["named"] = "named"


class Plain(BaseModel):
    lr: float = 0.1


class Bare(RootModel[list[int]]):
    pass


Optimizer = TypeAliasType("Optimizer", Adam | Sgd)
Several = TypeAliasType("Several", list[Optimizer])


def entry(annotation: Any, default: Any = ...) -> Entry:
    template = create_model("Params", __base__=ConfigTemplate, value=(annotation, default))
    return catalog_of(template).entries["value"]


def refusal(annotation: Any, default: Any = ...) -> str:
    with pytest.raises(TemplateError) as caught:
        entry(annotation, default)
    return str(caught.value)


def outline(node: Node) -> str:
    """A node in short: `list(section Inner)?`, with a question mark where it may be null."""
    match node:
        case LeafNode():
            return "values" if node.is_container else "value"
        case SectionNode():
            text = f"section {node.template.__name__}"
        case VariantsNode():
            text = f"one of {', '.join(node.templates)}"
        case ListNode():
            text = f"list({outline(node.item)})"
        case MapNode():
            text = f"map({outline(node.value)})"
    return f"{text}?" if node.is_optional else text


# --- what a field holds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, "value"),
        (int | None, "value"),
        (Annotated[int, Gt(0)], "value"),
        (Literal["a", "b"], "value"),
        (list[int], "values"),
        (dict[str, int] | None, "values"),
        (tuple[int, str], "values"),
        (set[int], "values"),
        (Any, "values"),
        (int | list[int], "values"),
        (Inner, "section Inner"),
        (Annotated[Inner, Field(description="x")], "section Inner"),
        (Inner | None, "section Inner?"),
        (Optional[Inner], "section Inner?"),  # noqa: UP045  # the older spelling is to work too
        (Annotated[Inner | None, Field(description="x")], "section Inner?"),
        (Adam | Sgd, "one of adam, adamw, sgd, msgd"),
        (Adam | Sgd | None, "one of adam, adamw, sgd, msgd?"),
        (Optimizer, "one of adam, adamw, sgd, msgd"),
        (Optimizer | Named, "one of adam, adamw, sgd, msgd, named"),
        (Optimizer | None, "one of adam, adamw, sgd, msgd?"),
        (Several, "list(one of adam, adamw, sgd, msgd)"),
        (list[Inner], "list(section Inner)"),
        (Sequence[Inner], "list(section Inner)"),
        (tuple[Inner, ...], "list(section Inner)"),
        (Annotated[list[Inner], Len(1)], "list(section Inner)"),
        (list[Inner] | None, "list(section Inner)?"),
        (list[Adam | Sgd], "list(one of adam, adamw, sgd, msgd)"),
        (list[list[Inner]], "list(list(section Inner))"),
        (dict[str, Inner], "map(section Inner)"),
        (Mapping[str, Inner | None], "map(section Inner?)"),
        (dict[str, list[Adam | Sgd]], "map(list(one of adam, adamw, sgd, msgd))"),
    ],
    ids=str,
)
def test_what_a_field_holds_is_read_from_its_type(annotation: Any, expected: str) -> None:
    assert outline(entry(annotation).node) == expected


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        (set[Inner], "sections stand in something whose parts have no key"),
        (frozenset[Inner], "sections stand in something whose parts have no key"),
        (tuple[Inner, int], "sections stand in something whose parts have no key"),
        (tuple[Inner, Inner], "sections stand in something whose parts have no key"),
        (type[Inner], "sections stand in something whose parts have no key"),
        (Inner | int, "a union of sections and values"),
        (Adam | dict[str, int], "a union of sections and values"),
        (list[Inner] | Inner, "a union of sections and values"),
        (list[Inner | str], "a union of sections and values"),
        (Inner | NoKind, "Inner stands in a union and has no kind"),
        (Adam | NoKind, "NoKind stands in a union and has no kind"),
        (Sgd | OtherSgd, "Sgd and OtherSgd are both of kind 'sgd'"),
        (Plain, "Plain is no ConfigTemplate"),
        (Plain | None, "Plain is no ConfigTemplate"),
        (list[Plain], "Plain is no ConfigTemplate"),
        (dict[str, Plain], "Plain is no ConfigTemplate"),
        (Plain | Bare, "Plain is no ConfigTemplate"),
        (Bare, "Bare is no ConfigTemplate"),
    ],
    ids=str,
)
def test_what_could_not_be_addressed_or_told_apart_is_refused(annotation: Any, what: str) -> None:
    text = refusal(annotation)

    assert f"Params.value: {what}" in text
    assert "fix" in text


def test_a_union_without_kinds_is_answered_with_the_line_to_add() -> None:
    assert 'add kind: Literal["inner"] = "inner"' in refusal(Inner | NoKind)


def test_everything_that_is_wrong_with_a_template_is_said_at_once() -> None:
    template = create_model("Params", __base__=ConfigTemplate, a=(set[Inner], ...), b=(Inner | int, ...))

    with pytest.raises(TemplateError) as caught:
        catalog_of(template)

    assert len(caught.value.problems) == 2


def test_what_may_be_held_below_a_node_is_listed_once() -> None:
    node = entry(dict[str, list[Adam | Sgd]]).node

    assert list(sections_below(node)) == [Adam, Sgd]
    assert list(sections_below(entry(int).node)) == []


# --- kinds ----------------------------------------------------------------------------------------------------------


def test_a_template_goes_by_its_kinds_and_the_names_they_had() -> None:
    assert kinds_of(Adam) == current_kinds(Adam) == ("adam", "adamw")
    assert (kinds_of(Sgd), current_kinds(Sgd)) == (("sgd", "msgd"), ("sgd",))
    assert kinds_of(Inner) == current_kinds(Inner) == ()
    assert (catalog_of(Sgd).kind, catalog_of(Inner).kind) == ("sgd", None)


def test_only_the_literal_that_chooses_a_variant_is_a_kind() -> None:
    class Free(ConfigTemplate):
        kind: str = "free"

    assert catalog_of(Sgd).entries["kind"].is_kind
    assert not catalog_of(Free).entries["kind"].is_kind


# --- templates that name each other ---------------------------------------------------------------------------------


class Ahead(ConfigTemplate):
    later: "Later"
    perhaps: "Later | None" = None
    many: "list[Later]" = []


class Later(ConfigTemplate):
    value: int = 3


class Node_(ConfigTemplate):  # noqa: N801  # `Node` is what the catalog makes of it
    value: int = 0
    left: Optional["Node_"] = None
    children: list["Node_"] = []
    named: dict[str, "Node_"] = {}


class Endless(ConfigTemplate):
    again: "Endless"


class Ping(ConfigTemplate):
    pong: "Pong"


class Pong(ConfigTemplate):
    ping: "Ping"


class Lost(ConfigTemplate):
    value: "Nowhere"  # type: ignore[name-defined]  # noqa: F821  # refused, which is the point


def test_a_class_may_be_named_before_it_is_defined() -> None:
    assert outline(catalog_of(Ahead).entries["later"].node) == "section Later"
    assert Ahead.model_validate({}).later.value == 3
    assert Ahead.model_validate({"many": [{"value": 4}]}).many[0].value == 4


def test_a_section_may_hold_itself_where_that_ends() -> None:
    tree = Node_(left=Node_(value=1), children=[Node_(value=2)], named={"a": Node_(value=3)})

    assert outline(catalog_of(Node_).entries["left"].node) == "section Node_?"
    assert tree.left is not None
    assert (tree.left.value, tree.children[0].value, tree.named["a"].value) == (1, 2, 3)
    assert list(reachable(Node_)) == [Node_]


@pytest.mark.parametrize(
    ("template", "chain"), [(Endless, "Endless -> Endless"), (Ping, "Pong -> Ping -> Pong")], ids=["itself", "circle"]
)
def test_a_section_that_holds_itself_without_end_is_refused(template: type[ConfigTemplate], chain: str) -> None:
    with pytest.raises(TemplateError) as caught:
        catalog_of(template)

    assert f"contains itself: {chain}" in str(caught.value)
    assert "make one of them optional" in str(caught.value)


def test_what_was_refused_once_is_refused_again() -> None:
    for _ in range(2):
        with pytest.raises(TemplateError):
            catalog_of(Endless)


def test_a_class_that_is_never_defined_is_refused_by_name() -> None:
    with pytest.raises(TemplateError) as caught:
        catalog_of(Lost)

    assert "Lost names a type that is not defined: Nowhere" in str(caught.value)
    assert "define or import Nowhere in the module of Lost" in str(caught.value)


def test_every_template_within_reach_is_found_once() -> None:
    class Params(ConfigTemplate):
        one: Inner
        two: Inner
        optimizers: list[Adam | Sgd] = []

    assert set(reachable(Params)) == {Params, Inner, Adam, Sgd}


# --- inheritance and generics ---------------------------------------------------------------------------------------


class Box(ConfigTemplate, Generic[T]):
    content: T


def test_a_generic_template_holds_what_it_is_given() -> None:
    class Params(ConfigTemplate):
        section: Box[Inner]
        number: Box[int] = Box[int](content=3)

    assert outline(catalog_of(Box[Inner]).entries["content"].node) == "section Inner"
    assert Params.model_validate({}).section.content == Inner()
    assert Params.model_validate({}).number.content == 3


def test_fields_are_inherited_and_may_be_narrowed() -> None:
    class Base(ConfigTemplate):
        lr: float = 0.1
        steps: int = 5

    class Narrow(Base):
        lr: Annotated[float, Gt(0)] = 0.2

    catalog = catalog_of(Narrow)

    assert list(catalog.entries) == ["lr", "steps"]
    assert catalog.entries["lr"].template is Narrow
    assert (Narrow().lr, Narrow().steps) == (0.2, 5)
    with pytest.raises(ValidationError):
        Narrow(lr=-1.0)
    assert Base(lr=-1.0).lr == -1.0


def test_a_catalog_is_made_once_for_each_class_and_not_inherited() -> None:
    class Base(ConfigTemplate):
        lr: float = 0.1

    class More(Base):
        steps: int = 5

    assert catalog_of(Base) is catalog_of(Base)
    assert list(catalog_of(More).entries) == ["lr", "steps"]


# --- defaults -------------------------------------------------------------------------------------------------------


def test_a_field_says_whether_somebody_must_set_it() -> None:
    assert entry(int).is_required
    assert entry(Adam | Sgd).is_required
    assert entry(list[Inner]).is_required
    assert entry(Inner | None).is_required
    assert not entry(Inner).is_required
    assert not entry(int, 3).is_required
    assert not entry(int, derived(lambda _: 3)).is_required


def test_a_default_is_given_as_it_was_declared() -> None:
    assert entry(int, 3).default() == 3
    assert entry(list[int], Field(default_factory=lambda: [1])).default() == [1]
    assert isinstance(entry(Inner, section(Inner, lr=0.5)).default(), SectionDefault)


@pytest.mark.parametrize("default", [..., derived(lambda _: 3)], ids=["required", "derived"])
def test_a_field_without_a_plain_default_has_none(default: Any) -> None:
    field = entry(int, default)

    assert not field.has_default
    with pytest.raises(LookupError, match=r"Params\.value has no default"):
        field.default()


def test_a_factory_that_asks_for_other_fields_is_refused_in_favour_of_a_formula() -> None:
    field = entry(int, Field(default_factory=len))

    with pytest.raises(TemplateError, match="a default factory takes no arguments in a template"):
        field.default()


@pytest.mark.parametrize("annotation", [SecretStr, SecretStr | None, list[SecretStr], dict[str, SecretBytes]], ids=str)
def test_a_secret_is_known_by_its_type_and_never_in_the_identity(annotation: Any) -> None:
    field = entry(annotation)

    assert field.is_secret
    assert not field.is_in_identity


# --- validating one value -------------------------------------------------------------------------------------------


class Checked(ConfigTemplate):
    lr: Annotated[float, Gt(0)] = 0.1
    name: str = "a"
    strides: list[Annotated[int, Gt(0)]] = []
    weights: dict[str, Annotated[float, Gt(0)]] | None = None
    anything: Any = None
    inner: Node_

    @field_validator("name")
    @classmethod
    def _trim(cls, value: str) -> str:
        return value.strip()


def test_one_value_is_validated_as_its_field_would() -> None:
    entries = catalog_of(Checked).entries

    assert entries["lr"].validator.validate_python("0.5") == 0.5
    assert entries["name"].validator.validate_python("  a ") == "a"
    assert entries["inner"].validator.validate_python({"left": {"value": 1}}).left.value == 1
    with pytest.raises(ValidationError):
        entries["lr"].validator.validate_python(-1)


def test_one_item_is_validated_as_its_list_or_mapping_would() -> None:
    entries = catalog_of(Checked).entries

    for name in ("strides", "weights"):
        item = entries[name].validator_at(1)
        assert item is not None
        assert item.validate_python("3") == 3
        with pytest.raises(ValidationError):
            item.validate_python(-3)


def test_what_lies_deeper_or_is_of_any_type_has_no_validator_of_its_own() -> None:
    entries = catalog_of(Checked).entries

    assert entries["anything"].validator_at(1) is None
    assert entries["strides"].validator_at(2) is None
    assert entries["strides"].validator_at(0) is entries["strides"].validator


# --- what the stages look up ----------------------------------------------------------------------------------------


def test_a_catalog_sorts_its_fields_by_what_the_stages_ask_for() -> None:
    class Params(ConfigTemplate):
        lr: Annotated[float, RenamedFrom("rate", "optimizer.rate")] = 0.1
        tags: list[str] = []
        steps: int = derived(lambda _: 3)
        inner: Inner

    catalog: Catalog = catalog_of(Params)

    assert catalog.names == {"lr", "tags", "steps", "inner"}
    assert [e.name for e in catalog.branching] == ["inner"]
    assert [e.name for e in catalog.formulas] == ["steps"]
    assert catalog.free == {"tags"}
    assert (set(catalog.renamed), set(catalog.moved)) == ({"rate"}, {"optimizer.rate"})


def test_the_kind_that_is_proposed_is_free() -> None:
    class Nokind(ConfigTemplate):
        kind: Literal["noname"] = "noname"

    class Noname(ConfigTemplate):
        pass

    class Params(ConfigTemplate):
        either: Nokind | Noname

    with pytest.raises(TemplateError, match=r'Literal\["noname2"\]'):
        catalog_of(Params)

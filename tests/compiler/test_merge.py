from typedcfg.compiler.merge import Contribution, below, standing, taken_back
from typedcfg.compiler.precedence import DEFAULTS
from typedcfg.origin import Origin
from typedcfg.sources.base import Appended, Edit, Items, Layer, Positions, Removed, branch_from


def said(name: str, value: object, *, strength: str = "files", replaces: bool = False) -> Contribution:
    return Contribution(Layer(name, strength, ()), value, Origin(name), replaces)


def mapping(name: str, **values: object) -> Contribution:
    return said(name, branch_from(values, Origin(name)))


def items(*values: object) -> Items:
    held = Items(origin=Origin("items"))
    for position, value in enumerate(values):
        held.put(value, Origin("items", position + 1))
    return held


def positions(**edits: object) -> Positions:
    held = Positions(Origin("edits"))
    for key, value in edits.items():
        held[int(key.removeprefix("p").replace("m", "-"))] = value
        held.origins = dict.fromkeys(held, held.origin)
    return held


def test_of_plain_values_the_last_stands() -> None:
    first, second = said("base", 1), said("wide", 2)

    live, fallen, _ = standing([first, second])

    assert live == [second]
    assert [(f.contribution, f.reason) for f in fallen] == [(first, "wide replaces it")]


def test_mappings_build_on_each_other() -> None:
    weak, strong = mapping("base", a=1), mapping("wide", b=2)

    assert standing([weak, strong]) == ([weak, strong], [], [])


def test_a_mapping_that_replaces_stands_alone() -> None:
    weak, copy = mapping("base", a=1), said("wide", branch_from({"b": 2}, Origin("wide")), replaces=True)

    assert standing([weak, copy]).live == [copy]


def test_a_mapping_and_a_value_replace_each_other() -> None:
    value, branch = said("base", 1), mapping("wide", a=1)

    assert standing([value, branch]).live == [branch]
    assert standing([branch, value]).live == [value]


def test_edits_to_positions_build_on_lists_and_tuples() -> None:
    whole, edit = said("base", items(1, 2)), said("edit", positions(p0=5))

    assert standing([whole, edit]).live == [whole, edit]
    assert len(standing([said("base", (1, 2)), edit]).live) == 2


def test_a_reset_takes_away_what_was_said_and_keeps_the_default() -> None:
    default, value, reset = said("d", 1, strength=DEFAULTS), said("base", 2), said("flag", Edit.RESET)

    live, fallen, _ = standing([default, value, reset])

    assert live == [default]
    assert [(f.reason, f.is_reset) for f in fallen] == [("flag resets it", True)]


def test_what_comes_after_a_reset_stands_on_the_default() -> None:
    default = said("d", branch_from({"a": 1}, Origin("d")), strength=DEFAULTS)
    reset, later = said("flag", Edit.RESET), mapping("last", b=2)

    assert standing([default, mapping("base", c=3), reset, later]).live == [default, later]


def test_below_follows_mappings_only() -> None:
    found = below([mapping("base", a=1), said("wide", 3), mapping("flag", b=2)], "a")

    assert [(c.value, c.origin) for c in found] == [(1, Origin("base"))]


def test_a_key_that_was_taken_out_has_only_what_was_said_since() -> None:
    gone, again = said("edit", Removed(items("a"))), mapping("last", a=3)

    assert below([mapping("base", a=1, b=2), gone], "a") == []
    assert [c.value for c in below([mapping("base", a=1, b=2), gone, again], "a")] == [3]
    assert [c.value for c in below([mapping("base", a=1, b=2), gone], "b")] == [2]


def test_what_is_said_within_keeps_the_top_of_its_document() -> None:
    [found] = below([mapping("part", a=1)._replace(top=("schedule",))], "a")

    assert found.top == ("schedule",)


def test_an_edit_builds_on_a_list_and_on_nothing_else() -> None:
    edit = said("edit", Appended(items("x")))

    assert len(standing([said("base", items("y")), edit]).live) == 2
    assert standing([mapping("base", a=1), edit]).live == [edit]
    assert standing([said("base", None), edit]).live == [edit]


def test_keys_are_taken_out_of_mappings() -> None:
    edit = said("edit", Removed(items("a")))

    assert len(standing([mapping("base", a=1), edit, mapping("last", b=1)]).live) == 3


def test_what_is_taken_back_is_found_however_deep() -> None:
    tree = branch_from({"a": Edit.RESET, "b": {"c": Edit.RESET, "d": 1}}, Origin("base"))

    assert [path for path, _ in taken_back(tree, ("top",))] == [("top", "a"), ("top", "b", "c")]
    assert [*taken_back(positions(p1=Edit.RESET), ())] == [((1,), Origin("edits"))]

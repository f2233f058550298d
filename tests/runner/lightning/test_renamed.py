from typedcfg.runner.lightning.renamed import renamed_prefixes

SHAPES = {"0.weight": (2, 2), "0.bias": (2,), "1.weight": (2, 2)}


def under(prefix: str) -> dict[str, tuple[int, ...]]:
    return {f"{prefix}{name}": shape for name, shape in SHAPES.items()}


def test_each_part_that_was_renamed_is_found() -> None:
    found = renamed_prefixes(under("net.") | under("head."), under("body.") | under("head.linear."))

    assert {(one.old, one.new, len(one.names)) for one in found} == {
        ("net.", "body.", 3),
        ("head.", "head.linear.", 3),
    }


def test_weights_of_other_shapes_are_no_renamed_ones() -> None:
    found = renamed_prefixes(under("net."), {name: (*shape, 1) for name, shape in under("body.").items()})

    assert found == []


def test_a_single_weight_is_no_part() -> None:
    assert renamed_prefixes({"net.weight": (1,)}, {"body.weight": (1,)}) == []

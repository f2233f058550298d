from typedcfg.template.rivals import Rivals


def test_rivals_are_named_together() -> None:
    rivals = Rivals(["a", "b", "c"], "each end it")

    assert str(rivals) == "a, b and c each end it: set all but one to null"
    assert rivals.fields == ("a", "b", "c")

from typedcfg.compiler.drafts.caller import line_of_caller
from typedcfg.compiler.drafts.draft import Draft


def test_the_line_is_that_of_the_code_that_calls() -> None:
    origin = line_of_caller()

    assert origin.source == "tests/compiler/drafts/test_caller.py"
    assert origin.line == 6


def test_the_mixin_methods_of_a_mapping_are_passed_through() -> None:
    draft = Draft()
    draft.update(a=1)

    config = draft.lock()

    assert str(config.origin("a")).startswith("tests/compiler/drafts/test_caller.py:")

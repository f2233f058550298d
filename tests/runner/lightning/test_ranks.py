from typedcfg.runner.lightning.ranks import gathered


def test_a_rank_that_is_alone_tells_itself() -> None:
    assert gathered("here", 1) == ["here"]

"""The power fails at any moment: what was promised is there when it comes back, whatever else is lost."""

import shutil
from pathlib import Path

import pytest
from deeds import DEEDS, Deed, check, leftovers
from faulty_disk import FaultyDisk
from power import PowerDisk

from typedcfg.disk import Disk, using
from typedcfg.storage import make_folder, write_atomically

QUICK = {"start", "save"}


@pytest.mark.parametrize(
    "deed",
    [pytest.param(deed, id=deed.name, marks=() if deed.name in QUICK else pytest.mark.slow) for deed in DEEDS],
)
def test_what_was_promised_survives_a_power_loss_at_any_moment(deed: Deed, tmp_path: Path) -> None:
    folder = tmp_path / "before"
    folder.mkdir()
    with using(FaultyDisk()):
        deed.prepare(folder)
    disk = PowerDisk(folder)
    begin = len(disk.events)
    with using(disk):
        deed.act(folder, disk.promise)
    assert len(disk.events) > begin

    for moment in range(begin, len(disk.events) + 1):
        for loss in disk.losses(moment):
            after = tmp_path / "after"
            disk.leave(moment, loss, after)
            try:
                with using(FaultyDisk()):
                    check(after, disk.promises(moment))
                    deed.act(after, lambda _: None)
                assert leftovers(after) == []
            except Exception as error:
                lost = [disk.events[number] for number in sorted(loss.events)]
                error.add_note(f"after {disk.events[begin:moment][-5:]}, of which {lost} was lost ({loss.content_as})")
                raise
            shutil.rmtree(after)


class Careless(PowerDisk):
    """A disk on which some operation is forgotten by who writes."""

    forgets = ""

    def sync(self, descriptor: int) -> None:
        if self.forgets != "sync":
            super().sync(descriptor)

    def sync_folder(self, path: Path) -> None:
        if self.forgets != "sync_folder":
            super().sync_folder(path)


@pytest.mark.parametrize(("forgets", "is_kept"), [("", True), ("sync", False), ("sync_folder", False)])
def test_what_nobody_made_sure_of_is_lost(tmp_path: Path, forgets: str, is_kept: bool) -> None:  # noqa: FBT001  # a parameter
    root, found = tmp_path / "before", set[bytes]()
    root.mkdir()
    (root / "a").write_bytes(b"old")
    disk = Careless(root)
    disk.forgets = forgets

    with using(disk):
        write_atomically(root / "a", b"new")
    for number, loss in enumerate(disk.losses(len(disk.events))):
        disk.leave(len(disk.events), loss, tmp_path / str(number))
        found.add((tmp_path / str(number) / "a").read_bytes())

    assert (found == {b"new"}) == is_kept


def test_a_folder_whose_parents_were_made_is_kept_with_them(tmp_path: Path) -> None:
    disk: Disk = PowerDisk(tmp_path)
    assert isinstance(disk, PowerDisk)

    with using(disk):
        make_folder(tmp_path / "a" / "b")

    assert len(list(disk.losses(len(disk.events)))) == 1

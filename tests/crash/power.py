"""A disk that loses power: what was not made sure of may be there afterwards, or not.

The operations are carried out, and noted. Of any moment the *remains* can be asked for: the folders and files as they
may be found after the power came back. What may be missing then:

* the content of a file that was written since the file was last synced: the file is as it was then, or has NUL bytes;
* a name that was given, moved or taken since its folder was last synced, also in another order than it was done.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from typing_extensions import Buffer

from typedcfg.disk import Disk

Node: TypeAlias = int
"""The number of a file or a folder, whatever its names."""
ROOT: Final[Node] = 0


class Named(NamedTuple):
    """A name in a folder was given to a node; with `before`, taken from another name of it in that folder."""

    folder: Node
    name: str
    node: Node
    before: str | None = None


class Taken(NamedTuple):
    """A name was taken away."""

    folder: Node
    name: str


class Filled(NamedTuple):
    """A file has a content."""

    node: Node
    content: bytes


class Synced(NamedTuple):
    """A file or a folder was made sure of."""

    node: Node


class Promised(NamedTuple):
    """Something was said to last."""

    text: str


Event: TypeAlias = Named | Taken | Filled | Synced | Promised


class Loss(NamedTuple):
    """What a power loss takes: events that it is as if they had not been."""

    events: frozenset[int]
    content_as: Literal["before", "nul"] = "before"
    """What a file holds whose content is lost."""


class PowerDisk(Disk):
    """The real disk, with a memory of what was done. Nothing is really fsynced."""

    def __init__(self, root: Path) -> None:
        """Begin with what stands in a folder, all of which is made sure of."""
        self.root = root
        self.events: list[Event] = []
        self._folders: dict[Node, dict[str, Node]] = {ROOT: {}}
        self._nodes = 1
        self._by_inode: dict[int, Node] = {}
        self._take_up(root, ROOT)

    def promise(self, text: str) -> None:
        """Note what is said to last from now."""
        self.events.append(Promised(text))

    def promises(self, moment: int) -> list[str]:
        """What was said to last before a moment."""
        return [event.text for event in self.events[:moment] if isinstance(event, Promised)]

    def losses(self, moment: int) -> Iterator[Loss]:
        """What a loss of power at a moment may take: all that was not made sure of, each of it alone, and nothing."""
        unsure = [number for number in range(moment) if self._is_unsure(number, moment)]
        contents = [number for number in unsure if isinstance(self.events[number], Filled)]
        names = [number for number in unsure if not isinstance(self.events[number], Filled)]
        alone = {frozenset({number}) for number in names}
        # Writes to one file are lost together: what is between them is no content that was ever meant.
        nodes = {event.node for number in contents if isinstance(event := self.events[number], Filled)}
        of_nodes = {frozenset(n for n in contents if self.events[n][0] == node) for node in nodes}
        for lost in {frozenset(unsure), frozenset(names), frozenset(contents), frozenset(), *alone, *of_nodes}:
            yield Loss(lost)
            if lost & {*contents}:
                yield Loss(lost, "nul")

    def leave(self, moment: int, loss: Loss, target: Path) -> None:
        """Lay out, in an empty folder, what is there after a loss."""
        folders, contents = self._remains(moment, loss)
        made: dict[Node, Path] = {}
        todo = [(ROOT, target)]
        while todo:
            node, path = todo.pop()
            path.mkdir(exist_ok=True)
            for name, child in folders[node].items():
                if child in folders:
                    todo.append((child, path / name))
                elif child in made:
                    os.link(made[child], path / name)
                else:
                    made[child] = path / name
                    made[child].write_bytes(contents.get(child, b""))

    def create(self, path: Path) -> int:
        descriptor = super().create(path)
        self._name(path, self._new())
        return descriptor

    def open(self, path: Path) -> int:
        is_new = not path.exists()
        descriptor = super().open(path)
        if is_new:
            self._name(path, self._new())
        return descriptor

    def write(self, descriptor: int, content: Buffer, at: int) -> int:
        written = super().write(descriptor, content, at)
        self._fill(descriptor)
        return written

    def truncate(self, descriptor: int, length: int) -> None:
        super().truncate(descriptor, length)
        self._fill(descriptor)

    def sync(self, descriptor: int) -> None:
        node = self._node(_path_of(descriptor))
        self.events.append(Synced(node))

    def sync_folder(self, path: Path) -> None:
        self.events.append(Synced(self._node(path)))

    def replace(self, source: Path, target: Path) -> None:
        assert source.parent == target.parent, "nothing moves between folders"
        super().replace(source, target)
        self._name(target, self._node(source), before=source.name)

    def link(self, source: Path, name: Path) -> None:
        super().link(source, name)
        self._name(name, self._node(source))

    def unlink(self, path: Path) -> None:
        self._node(path)
        super().unlink(path)
        self._take(path)

    def make_folder(self, path: Path) -> None:
        super().make_folder(path)
        node = self._new()
        self._folders[node] = {}
        self._name(path, node)

    def remove_folder(self, path: Path) -> None:
        self._node(path)
        super().remove_folder(path)
        self._take(path)

    def _take_up(self, path: Path, node: Node) -> None:
        for entry in sorted(path.iterdir()):
            inode = entry.stat().st_ino
            child = self._by_inode.setdefault(inode, self._nodes)
            self._nodes = max(self._nodes, child + 1)
            self._folders[node][entry.name] = child
            self.events.append(Named(node, entry.name, child))
            if entry.is_dir():
                self._folders[child] = {}
                self._take_up(entry, child)
            else:
                self.events += [Filled(child, entry.read_bytes()), Synced(child)]
        self.events.append(Synced(node))

    def _new(self) -> Node:
        self._nodes += 1
        return self._nodes - 1

    def _node(self, path: Path) -> Node:
        node, here = ROOT, self.root
        for name in path.relative_to(self.root).parts:
            here /= name
            if name not in self._folders[node]:
                self._adopt(here, node)
            node = self._folders[node][name]
        return node

    def _adopt(self, path: Path, folder: Node) -> None:
        """Note what was made by other means, as torch's writers do: nothing of it was made sure of."""
        node = self._new()
        self._folders[folder][path.name] = node
        self.events.append(Named(folder, path.name, node))
        if path.is_dir():
            self._folders[node] = {}
        else:
            self.events.append(Filled(node, path.read_bytes()))

    def _name(self, path: Path, node: Node, before: str | None = None) -> None:
        folder = self._node(path.parent)
        if before is not None and self._folders[folder].get(path.name) != node:
            del self._folders[folder][before]
        self._folders[folder][path.name] = node
        self.events.append(Named(folder, path.name, node, before))

    def _take(self, path: Path) -> None:
        folder = self._node(path.parent)
        del self._folders[folder][path.name]
        self.events.append(Taken(folder, path.name))

    def _fill(self, descriptor: int) -> None:
        path = _path_of(descriptor)
        self.events.append(Filled(self._node(path), path.read_bytes()))

    def _is_unsure(self, number: int, moment: int) -> bool:
        event = self.events[number]
        if not isinstance(event, Named | Taken | Filled):
            return False
        return Synced(event[0]) not in self.events[number:moment]

    def _remains(self, moment: int, loss: Loss) -> tuple[dict[Node, dict[str, Node]], dict[Node, bytes]]:
        folders: dict[Node, dict[str, Node]] = {node: {} for node in self._folders}
        contents: dict[Node, bytes] = {}
        for number, event in enumerate(self.events[:moment]):
            is_lost = number in loss.events
            match event:
                case Filled(node, content):
                    if not is_lost:
                        contents[node] = content
                    elif loss.content_as == "nul":
                        kept = contents.get(node, b"")
                        contents[node] = kept[: len(content)].ljust(len(content), b"\0")
                case Named(folder, name, node, before) if not is_lost:
                    if before is not None and folders[folder].get(before) == node and before != name:
                        del folders[folder][before]
                    folders[folder][name] = node
                case Taken(folder, name) if not is_lost:
                    folders[folder].pop(name, None)
        return folders, contents


def _path_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()

"""What git says about the code that runs: the commit, and what differs from it.

The work tree is compared as trees of content, by ids that no git setting can change; the text of a diff is only
a record. Git is asked without writing to the repository: the index and the objects that are made on the way live in
a folder of their own, and go with it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from subprocess import run
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple, Self
from uuid import UUID, uuid5

from typedcfg.errors import Problem, RunError

OUTSIDE_GIT: Final = "x" * 16
"""The experiment_id where there is no commit."""

# Variables that say how git is set up are kept. The others name a repository, as a git hook's do, or shape output.
_KEPT_VARIABLES: Final = ("GIT_CEILING_DIRECTORIES", "GIT_CONFIG", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH")
# A file system monitor is a daemon that git would start, and believe.
_SETTINGS: Final = ("-c", "core.fsmonitor=false", "-c", "core.safecrlf=false", "-c", "diff.suppressBlankEmpty=false")
_STATUS_FORMAT: Final = ("--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none")
# `diff-index` reads fewer settings than `diff`: no colour, context, prefix, algorithm or external program.
_PATCH_FORMAT: Final = (
    *("--patch", "--binary", "--full-index", "--no-renames", "--ignore-submodules=none"),
    *("--no-ext-diff", "--no-textconv"),
)
_ABSENT: Final = b"000000"
_SUBMODULE: Final = b"160000"


@dataclass(frozen=True, slots=True)
class CodeVersion:
    """The code of a run, as far as git can tell.

    Example:
        >>> print(CodeVersion.outside("not a git repository").code_uuid)
        78787878-7878-7878-7878-787878787878
    """

    commit: str | None
    """The commit of HEAD in full; None outside git, and before the first commit."""
    tree_id: str
    """The git tree of what the code is: tracked files as they stand in the work tree, and new `*.py` that are not
    ignored. Equals `HEAD^{tree}` when the work tree is clean, and is empty outside git."""
    is_dirty: bool
    patch: bytes = field(repr=False)
    """The difference from the commit, for `git apply`; bytes, because the files are."""
    why_unknown: str = ""
    """Why git could not say what the code is, in one sentence; empty when it could."""

    @classmethod
    def outside(cls, why: str) -> Self:
        """The version of code that git knows nothing of."""
        return cls(commit=None, tree_id="", is_dirty=False, patch=b"", why_unknown=why)

    @property
    def experiment_id(self) -> str:
        """The commit, or sixteen `x` where there is none."""
        return self.commit or OUTSIDE_GIT

    @property
    def experiment_uuid(self) -> UUID:
        """The UUID whose bytes are the first 16 characters of `experiment_id`."""
        return uuid_of_experiment(self.experiment_id)

    @property
    def code_uuid(self) -> UUID:
        """The UUID of the code: of the commit when nothing differs from it, else of what the code is."""
        return uuid5(self.experiment_uuid, self.tree_id) if self.is_dirty else self.experiment_uuid


def uuid_of_experiment(experiment_id: str) -> UUID:
    """The UUID whose bytes are the first 16 ASCII characters of an id, padded with `x`.

    Example:
        >>> print(uuid_of_experiment("x" * 16))
        78787878-7878-7878-7878-787878787878
    """
    return UUID(bytes=experiment_id.encode("ascii")[:16].ljust(16, b"x"))


def read_code_version(folder: Path, leave_out: Path | None = None) -> CodeVersion:
    """The version of the code in the repository that a folder lies in.

    A submodule counts as its commit, or as its own `tree_id` where it differs from that. Files that git was told to
    take for unchanged (`assume-unchanged`, `skip-worktree`) are looked at all the same.

    Args:
        folder: Any folder of the work tree.
        leave_out: The folder that runs are written to. What lies in it counts as HEAD has it, if it lies in the
            repository at all.

    Raises:
        RunError: There is a repository, but git cannot read it.
    """
    executable = which("git")
    if executable is None:
        return CodeVersion.outside("git is not on PATH")
    # Of a link that leads in a circle realpath knows no more than we do, and resolve raises an error.
    left_out = Path(os.path.realpath(leave_out)) if leave_out else None
    return _read(_Git(executable, folder, _environment()), left_out)


def read_branch(folder: Path) -> str | None:
    """The branch that HEAD is on in the repository of a folder; None where it is on none."""
    executable = which("git")
    if executable is None:
        return None
    code, output, _ = _Git(executable, folder, _environment()).attempt("symbolic-ref", "--short", "-q", "HEAD")
    return None if code else os.fsdecode(output).strip()


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if _is_kept(name)}
    # Without optional locks `git status` does not write the index that it has refreshed.
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def _is_kept(name: str) -> bool:
    return not name.startswith("GIT_") or name.startswith(_KEPT_VARIABLES)


@dataclass(frozen=True, slots=True)
class _Git:
    """Git in one folder, with one environment."""

    executable: str
    folder: Path
    environment: Mapping[str, str]

    def attempt(self, *arguments: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
        """Exit code, output, and the first line of the complaint."""
        command = [self.executable, "-C", str(self.folder), *_SETTINGS, *arguments]
        done = run(command, input=stdin, capture_output=True, env=self.environment, check=False)  # noqa: S603 - no shell
        return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip().partition("\n")[0]

    def __call__(self, *arguments: str, stdin: bytes = b"") -> bytes:
        code, output, complaint = self.attempt(*arguments, stdin=stdin)
        if code:
            what = f"git cannot say what the code is: `git {arguments[0]}` exits with {code}: {complaint}"
            expected = "a repository that git 2.18 or later can read"
            raise RunError(Problem(what, where=str(self.folder), expected=expected))
        return output

    def at(self, folder: Path) -> "_Git":
        """The same in another folder."""
        return _Git(self.executable, folder, self.environment)

    def writing_to(self, scratch: Path, objects: Path) -> "_Git":
        """The same with an index of its own, and with new objects apart from those of the repository."""
        (scratch / "objects").mkdir()
        # In quotes a path may hold the character that separates paths.
        alternate = str(objects).replace("\\", "\\\\").replace('"', '\\"')
        private = {
            "GIT_INDEX_FILE": str(scratch / "index"),
            "GIT_OBJECT_DIRECTORY": str(scratch / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{alternate}"',
        }
        return _Git(self.executable, self.folder, {**self.environment, **private})


def _read(git: _Git, leave_out: Path | None, inside: str = "") -> CodeVersion:
    """The version of one repository, which lies at `inside` (`vendor/lib/`) of the one that was asked for."""
    asked = "--show-toplevel", "--git-path", "objects", "HEAD^{commit}", "HEAD^{tree}"
    code, output, complaint = git.attempt("rev-parse", *asked)
    found = os.fsdecode(output).splitlines()
    if code and len(found) < 2:
        return CodeVersion.outside(complaint.removeprefix("fatal: ") or f"git exits with {code}, and does not say why")
    objects = Path(git.folder, found[1]).absolute()
    git = git.at(Path(found[0]))
    # Before the first commit everything differs from the empty tree.
    commit, base = (None, git("hash-object", "-t", "tree", "--stdin").decode().strip()) if code else found[2:]
    why_unknown = "" if commit else "the repository has no commit yet"

    changes = _read_changes(git, leave_out)
    if not any(changes):
        return CodeVersion(commit, base, is_dirty=False, patch=b"", why_unknown=why_unknown)
    modules = {path: _read_module(git, path, id_, leave_out, inside) for path, id_ in changes.modules.items()}
    with TemporaryDirectory(prefix="typedcfg-") as scratch:
        private = git.writing_to(Path(scratch), objects)
        private("read-tree", base)
        entries = [b"0 %b\t%b\0" % (b"0" * len(base), path) for path in changes.gone]
        entries += [b"160000 %b\t%b\0" % (module.id, path) for path, module in modules.items()]
        private("update-index", "-z", "--index-info", stdin=b"".join(entries))
        present = b"".join(b"%b\0" % path for path in changes.present)
        private("update-index", "--add", "--remove", "-z", "--stdin", stdin=present)
        # Objects may be missing: a partial clone would fetch them, and this tree is made for its id alone.
        tree_id = private("write-tree", "--missing-ok").decode().strip()
        prefixes = f"--src-prefix=a/{inside}", f"--dst-prefix=b/{inside}"
        patch = private("diff-index", "--cached", *_PATCH_FORMAT, *prefixes, base) if tree_id != base else b""
    patch += b"".join(module.patch for module in modules.values())
    return CodeVersion(commit, tree_id, is_dirty=tree_id != base, patch=patch, why_unknown=why_unknown)


class _Changes(NamedTuple):
    """Paths that may differ from the commit, by what stands in the work tree."""

    gone: list[bytes]
    modules: dict[bytes, bytes]
    """Submodules, each with the id that is in the index."""
    present: list[bytes]


def _read_changes(git: _Git, leave_out: Path | None) -> _Changes:
    changes = _Changes([], {}, [])
    where = _pathspec(git.folder, leave_out)
    for record in git("status", *_STATUS_FORMAT, *where).split(b"\0"):
        if record.startswith(b"? "):
            if record.endswith(b".py"):
                changes.present.append(record[2:])
        elif record:
            # `1 XY sub mH mI mW hH hI path`, or for a conflict `u XY sub m1 m2 m3 mW h1 h2 h3 path`.
            mode, id_, last = (5, 7, 8) if record.startswith(b"1") else (6, 8, 10)
            fields = record.split(b" ", last)
            if fields[mode] == _SUBMODULE:
                changes.modules[fields[last]] = fields[id_]
            else:
                (changes.gone if fields[mode] == _ABSENT else changes.present).append(fields[last])
    # What git was told not to look at: lower case is `assume-unchanged`, S `skip-worktree`.
    for record in git("ls-files", "-v", "-z", *where).split(b"\0"):
        if (record[:1].islower() or record.startswith(b"S")) and Path(git.folder, os.fsdecode(record[2:])).is_file():
            changes.present.append(record[2:])
    return changes


def _pathspec(top: Path, leave_out: Path | None) -> list[str]:
    root = top.resolve()
    if leave_out is None or root not in leave_out.parents:
        return ["--", ":(top)"]
    return ["--", ":(top)", f":(top,exclude,literal){leave_out.relative_to(root).as_posix()}"]


class _Module(NamedTuple):
    """What a submodule counts as, and how it differs from its commit."""

    id: bytes
    patch: bytes


def _read_module(git: _Git, path: bytes, staged: bytes, leave_out: Path | None, inside: str) -> _Module:
    name = os.fsdecode(path)
    folder = git.folder / name
    if not (folder / ".git").exists():  # not checked out: git there would speak of the repository around it
        return _Module(staged, b"")
    code = _read(git.at(folder), leave_out, f"{inside}{name}/")
    id_ = code.tree_id if code.is_dirty else code.commit or code.tree_id
    return _Module(id_.encode(), code.patch)

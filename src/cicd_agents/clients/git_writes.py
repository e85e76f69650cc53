"""What a release writes to git: a commit, an annotated tag, a push. Nothing is ever forced, moved or deleted, and no local hook runs.

Each looks first, and says when the world is already as it should be, so that a second run may repeat it. Times and identities are given: the same input
makes the same commit, and so two runs agree (unless git is set to sign).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cicd_agents.clients.git import GitRepository
from cicd_agents.clients.git_command import Access
from cicd_agents.clients.git_errors import remote_words, usage_problem
from cicd_agents.clients.git_refs import is_ref_name, is_sha
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.git import Identity, PushedRef, RefUpdate, Standing, TagResult

_NEW_FILE = "100644"
_REPLACEABLE = ("100644", "100755")
_TARGETS = ("refs/heads/", "refs/tags/")
_NOT_FAST_FORWARD = ("non-fast-forward", "fetch first")


def create_tag(repository: GitRepository, name: str, commit: str, message: str, identity: Identity) -> TagResult:
    """Make an annotated tag (signed where tag.gpgSign says so); one that exists is left as it is. Raises UsageError for a name that git does not allow."""
    if not is_ref_name(name) or name == "HEAD":
        raise UsageError(f"{name!r} is no name for a tag; see git-check-ref-format(1).")
    target = repository.commit(commit)
    if (existing := _tagged(repository, name, target)) is not None:
        return existing
    arguments = ("tag", "--annotate", "--cleanup=whitespace", "--file=-", "--end-of-options", name, target)
    done = repository.git.run(*arguments, given=_message(message), extra=_signature(identity))
    if done.code == 0:
        return TagResult(Standing.DONE, target)
    # Another run may have been faster.
    if (existing := _tagged(repository, name, target)) is not None:
        return existing
    raise usage_problem(done.said, done.code, "tag", str(repository.git.folder))


def commit_files(repository: GitRepository, parent: str, files: Mapping[str, bytes | None], message: str, identity: Identity, also: Sequence[str] = ()) -> str:
    """A commit on top of `parent` with the files so changed (None: deleted): its id, or the parent's own where they change nothing.

    `also` are further parents, whose files don't count: so a branch of ours follows another one without being forced.
    Only objects are written: no branch moves, index and work tree stay as they are; push the id, or `advance` a branch. A file keeps its mode. The commit
    is signed where commit.gpgSign says so. Raises UsageError for a path that is no file in git.
    """
    git = repository.git
    base = repository.commit(parent)
    _check_paths(files)
    modes = _modes(repository, base, tuple(files))
    entries = b"".join(_entry(path, modes.get(path, _NEW_FILE), _blob(repository, content, len(base))) for path, content in files.items())
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.output("read-tree", base, extra=index)
        git.output("update-index", "-z", "--index-info", given=entries, extra=index)
        tree = git.output("write-tree", extra=index).decode().strip()
    if not also and tree == git.output("rev-parse", f"{base}^{{tree}}").decode().strip():
        return base
    signing = ["-S"] if git.run("config", "--type=bool", "--get", "commit.gpgSign").output.strip() == b"true" else []
    further = [word for parent in also for word in ("-p", repository.commit(parent))]
    arguments = ("commit-tree", *signing, "-p", base, *further, "-F", "-", tree)
    return git.output(*arguments, given=_message(message), extra=_signature(identity, author=True)).decode().strip()


def advance(repository: GitRepository, branch: str, commit: str) -> Standing:
    """Move a local branch forward to the commit, or make it; with its files where it is checked out here.

    BEHIND, and nothing changed, where the branch has commits that this one does not. Raises UsageError where changed files stand in the way.
    """
    if not is_ref_name(branch) or branch == "HEAD":
        raise UsageError(f"{branch!r} is no name for a branch; see git-check-ref-format(1).")
    target = repository.commit(commit)
    name = f"refs/heads/{branch}"
    present = repository.commits([name])[name]
    if present == target:
        return Standing.ALREADY
    if present is not None and not repository.is_ancestor(present, target):
        return Standing.BEHIND
    work_tree = repository.git.output("for-each-ref", "--format=%(worktreepath)", name).decode("utf-8", "surrogateescape").strip()
    if not work_tree or (repository.bare and repository.git_dir.resolve() == Path(work_tree).resolve()):
        # Moves only from where we saw it, or from nothing.
        repository.git.output("update-ref", name, target, present or "0" * len(target))
    elif repository.top == Path(work_tree).resolve():
        repository.git.output("merge", "--ff-only", "--quiet", "--no-autostash", target)
    else:
        raise UsageError(f"{branch} is checked out in {work_tree}; run it there, or check out another branch.")
    return Standing.DONE


def push(repository: GitRepository, remote: str, updates: Sequence[RefUpdate], access: Access | None = None) -> tuple[PushedRef, ...]:
    """Push exactly these refs, all or none (`--atomic`), never forced; how each stands, in their order.

    A tag that the remote has at the same commit is ALREADY there, though its tag object may differ from ours. Raises ServiceError where the remote cannot be
    reached or does not know us, UsageError for a remote or ref that is no such thing.
    """
    if not is_ref_name(remote) or remote not in repository.remote_names():
        raise UsageError(f"{repository.git.folder}: there is no remote {remote!r}; it has {', '.join(repository.remote_names()) or 'none'}.")
    for update in updates:
        _check(update)
    options = ("--porcelain", "--atomic", "--no-force", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
    refspecs = [f"{update.source}:{update.target}" for update in updates]
    done = repository.git.remote("push", *options, "--end-of-options", remote, *refspecs, access=access)
    answers = {line.split("\t")[1].partition(":")[2]: line for line in done.output.decode("utf-8", "replace").splitlines() if line.count("\t") == 2}
    said = remote_words(done.said)
    there = _remote_commits(repository, remote, [update.target for update in updates], access) if done.code else {}
    return tuple(_pushed(repository, update, answers.get(update.target, ""), said, there) for update in updates)


def remote_commits(repository: GitRepository, remote: str, targets: Sequence[str], access: Access | None = None) -> dict[str, str]:
    """Which commits the remote's refs (full names) point at now, tags peeled; those that it lacks are left out. Raises as `push` does."""
    if not is_ref_name(remote) or not all(is_ref_name(target) for target in targets):
        raise UsageError("A remote and full names of refs are needed.")
    return _remote_commits(repository, remote, targets, access)


def _remote_commits(repository: GitRepository, remote: str, targets: Sequence[str], access: Access | None) -> dict[str, str]:
    peeled = [f"{target}^{{}}" for target in targets]
    lines = repository.git.remote("ls-remote", "--quiet", "--end-of-options", remote, *targets, *peeled, access=access).output.decode("utf-8", "replace")
    found = {ref: sha for sha, _, ref in (line.partition("\t") for line in lines.splitlines())}
    return {target: sha for target in targets if (sha := found.get(f"{target}^{{}}") or found.get(target))}


def _pushed(repository: GitRepository, update: RefUpdate, answer: str, said: str, there: Mapping[str, str]) -> PushedRef:
    flag, _, summary = answer.partition("\t")
    if flag == "=":
        return PushedRef(update.target, Standing.ALREADY)
    if flag in {" ", "*"}:
        return PushedRef(update.target, Standing.DONE)
    reason = summary.rpartition("\t")[2].removeprefix("[rejected] ").removeprefix("[remote rejected] ").strip("()") or "not pushed"
    present = there.get(update.target)
    ours = repository.commit(update.source)
    if present == ours:
        return PushedRef(update.target, Standing.ALREADY)
    if update.target.startswith("refs/tags/") and present is not None:
        return PushedRef(update.target, Standing.ELSEWHERE, f"the remote has it at {present[:12]}, not at {ours[:12]}")
    if any(text in reason for text in _NOT_FAST_FORWARD):
        return PushedRef(update.target, Standing.BEHIND, reason)
    return PushedRef(update.target, Standing.REFUSED, f"{reason}: {said}" if said else reason)


def _check(update: RefUpdate) -> None:
    # A source that may begin with `+` would force, an empty one would delete.
    source_ok = is_sha(update.source) or (update.source.startswith("refs/") and is_ref_name(update.source))
    if not source_ok or not update.target.startswith(_TARGETS) or not is_ref_name(update.target):
        raise UsageError(f"{update.source!r} cannot be pushed to {update.target!r}; a whole commit id or full ref, and refs/heads/… or refs/tags/… are needed.")


def _tagged(repository: GitRepository, name: str, target: str) -> TagResult | None:
    ref = f"refs/tags/{name}"
    present = repository.commits([ref])[ref]
    return None if present is None else TagResult(Standing.ALREADY if present == target else Standing.ELSEWHERE, present)


def _check_paths(paths: Iterable[str]) -> None:
    # Git itself passes over a path that it does not allow, and ends well.
    for path in paths:
        if "\0" in path or any(part in {"", ".", "..", ".git"} for part in path.lower().split("/")):
            raise UsageError(f"{path!r}: no path of a file inside the repository.")


def _modes(repository: GitRepository, commit: str, paths: Sequence[str]) -> dict[str, str]:
    listing = repository.git.output("ls-tree", "-z", "--full-tree", commit, "--", *paths).decode("utf-8", "surrogateescape")
    return {path: about[:6] for about, _, path in (entry.partition("\t") for entry in listing.split("\0") if entry)}


def _entry(path: str, mode: str, blob: str) -> bytes:
    """The line of `update-index --index-info -z` for a file."""
    if mode not in _REPLACEABLE:
        raise UsageError(f"{path}: a symbolic link, submodule or folder in git; only a file can be changed.")
    return f"{mode if blob.strip('0') else '0'} {blob}\t{path}\0".encode("utf-8", "surrogateescape")


def _blob(repository: GitRepository, content: bytes | None, length: int) -> str:
    # An id of zeros deletes.
    if content is None:
        return "0" * length
    return repository.git.output("hash-object", "-w", "--no-filters", "--stdin", given=content).decode().strip()


def _signature(identity: Identity, *, author: bool = False) -> dict[str, str]:
    roles = ("COMMITTER", "AUTHOR") if author else ("COMMITTER",)
    parts = {"NAME": identity.name, "EMAIL": identity.email, "DATE": f"@{identity.time} +0000"}
    return {f"GIT_{role}_{part}": value for role in roles for part, value in parts.items()}


def _message(text: str) -> bytes:
    return f"{text.rstrip()}\n".encode("utf-8", "replace")

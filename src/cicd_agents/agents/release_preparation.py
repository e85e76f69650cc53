"""From a plan to all that a release consists of: which commit gets the tag, the files with their new contents, notes, threads. Writes nothing.

A release that was begun before, by us or by a person who pushed the tag, is found by its tag and only finished.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from cicd_agents.agents.release_manager import Planned, ReleaseManager
from cicd_agents.agents.release_scene import MAX_VERSION_FILE, ReleaseRequest, Scene
from cicd_agents.analysis.changelog.highlights import announcement
from cicd_agents.analysis.changelog.notes import release_notes
from cicd_agents.analysis.changelog.people import Newcomers, Person, people_of
from cicd_agents.analysis.changelog.section import Release, changelog_section
from cicd_agents.analysis.changelog.update import update_changelog
from cicd_agents.analysis.commits.references import REQUEST
from cicd_agents.analysis.versions.semver import Version
from cicd_agents.analysis.versions.tags import versions_of
from cicd_agents.domain.errors import UsageError
from cicd_agents.domain.finding import Evidence, Finding
from cicd_agents.domain.forge import Thread, ThreadKind
from cicd_agents.domain.release import Bump, Change
from cicd_agents.domain.release_content import ReleaseContent
from cicd_agents.domain.verdict import Outcome, ReleaseVerdict

if TYPE_CHECKING:
    from cicd_agents.domain.ports import ReleaseTag

# Tags that this commit does not reach, the newest first, whose commits are looked at for a release of it.
_MOST_TAGS = 20
_MOST_THREADS = 100
_MOST_NAMES = 8
_TITLE = "chore(release): "
_NUMBER = re.compile(r"[#!]([1-9][0-9]{0,8})")
_CLOSING = re.compile(r"(?:clos|fix|resolv)(?:e[sd]?|ing|es)?|implement(?:s|ed|ing)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The verdict on what is to be released, and what it consists of, one content for each component that is released; empty where the gate stays closed.

    The contents share base, branch and message; the files of all stand in the first one. `plans` are what they were made from.
    """

    verdict: ReleaseVerdict
    contents: tuple[ReleaseContent, ...] = ()
    plans: tuple[Planned, ...] = ()


@dataclass(frozen=True, slots=True)
class Begun:
    """A tag whose release is to be finished: at which commit, and since when (seconds since the epoch).

    `exists` is false for the commit of a merged release request, which has no tag yet. `moves_branch`: the commit is a release commit of ours that the branch
    may not have yet.
    """

    tag: str
    commit: str
    time: int
    exists: bool = True
    moves_branch: bool = False


@dataclass(frozen=True, slots=True)
class Preparation:
    """Prepares releases. `name` is the software's, for titles; `strict`: a tag that asks for less than the commits do closes the gate.

    `redact` takes secrets out of what is written elsewhere: a commit message may hold one.
    """

    manager: ReleaseManager
    name: str = ""
    strict: bool = True
    redact: Callable[[str], str] = str

    def prepare(self, request: ReleaseRequest) -> Prepared:
        """What would be released at the request's commit, of all components where there are several. Raises UsageError as planning does."""
        whole = Scene(self.manager.repository, request)
        requests = components_of(whole)
        found = [(each, tag) for each in requests if (tag := begun(Scene(self.manager.repository, each))) is not None]
        if found:
            at = self.manager.repository.commit(request.until)
            return self.finish_all([(each, Begun(tag.name, tag.commit, tag.time, moves_branch=tag.commit != at)) for each, tag in found])
        if len(requests) > 1:
            return self._together(whole)
        planned = self.manager.planned(request)
        if planned.plan.bump is Bump.NONE:
            return Prepared(self.manager.verdict(planned))
        return Prepared(self.manager.verdict(planned), self._new([planned], scene_files(planned)), (planned,))

    def finish(self, request: ReleaseRequest, tags: Sequence[Begun]) -> Prepared:
        """The releases of tags, each verified against what the commits of its component ask for. Raises UsageError for a tag that is none of ours."""
        whole = Scene(self.manager.repository, request)
        return self.finish_all([(self._of_tag(whole, each.tag), each) for each in tags])

    def finish_all(self, found: Sequence[tuple[ReleaseRequest, Begun]]) -> Prepared:
        """The same where it is known which component each tag is of."""
        finished = [self._finished(request, each) for request, each in found]
        verdicts = [verdict for verdict, _, _ in finished]
        closed = next((verdict for verdict in verdicts if verdict.outcome is Outcome.FAIL), None)
        if closed is not None:
            return Prepared(closed)
        first = verdicts[0]
        if len(verdicts) > 1:
            notes = tuple(dict.fromkeys(note for verdict in verdicts for note in verdict.notes))
            findings = tuple(finding for verdict in verdicts for finding in verdict.findings)
            first = replace(first, title=", ".join(each.tag for _, each in found[:_MOST_NAMES]), notes=notes, findings=findings)
        return Prepared(first, tuple(content for _, content, _ in finished), tuple(planned for _, _, planned in finished))

    def _finished(self, request: ReleaseRequest, each: Begun) -> tuple[ReleaseVerdict, ReleaseContent, Planned]:
        tag, version = each.tag, self._version(request, each.tag)
        asked = replace(request, until=each.commit, ignoring=request.ignoring | {tag}, branch=None)
        asking = self.manager.planned(replace(asked, release_as=None))
        finding = _against(version, asking, tag)
        try:
            planned = self.manager.planned(replace(asked, release_as=str(version)))
        except UsageError as problem:
            raise UsageError(f"The tag {tag} cannot be released: {problem}") from None
        verdict = replace(self.manager.verdict(planned), outcome=Outcome.PASS, summary=asking.plan.reason)
        branch = (request.branch or self._branch(request)) if each.moves_branch else ""
        content = replace(self._content(planned, each.time), tag=tag, version=str(version), prerelease=not version.stable, latest=_latest(planned, version))
        content = replace(content, tagged=each.commit if each.exists else "", moves_branch=each.moves_branch, branch=branch)
        return _verified(verdict, tag, finding, self.strict, each.exists), content, planned

    def _of_tag(self, whole: Scene, tag: str) -> ReleaseRequest:
        """The request for the component whose form of tags it has; of several the longest prefix."""
        fitting = [
            (max(len(form.prefix) for form in scene.formats), index)
            for index, scene in enumerate(Scene(self.manager.repository, each) for each in components_of(whole))
            if versions_of([tag], scene.formats)
        ]  # fmt: skip
        return components_of(whole)[max(fitting)[1]] if fitting else whole.request

    def _together(self, whole: Scene) -> Prepared:
        """All components that are released, by one commit."""
        from cicd_agents.agents.release_components import components_verdict, planned_components

        planned = planned_components(self.manager, whole)
        verdict = components_verdict(self.manager, planned)
        plans = tuple(part.planned for part in planned.released)
        return Prepared(verdict, self._new(plans, planned.texts) if plans else (), plans)

    def _version(self, request: ReleaseRequest, tag: str) -> Version:
        found = next(iter(versions_of([tag], Scene(self.manager.repository, request).formats).values()), None)
        if found is None:
            raise UsageError(f"The tag {tag[:80]!r} is not of the form that releases here have; nothing was done.")
        return found

    def _new(self, released: Sequence[Planned], texts: Mapping[str, str]) -> tuple[ReleaseContent, ...]:
        """The contents of releases that are not begun; `texts` are the version files as they become."""
        contents = [self._content(planned, int(self.manager.clock.now())) for planned in released]
        message = release_message([content.tag for content in contents])
        texts = dict(texts)
        for planned, content in zip(released, contents, strict=True):
            texts |= self._changelog(planned, content, texts)
        files = {name: text.encode("utf-8", "surrogateescape") for name, text in texts.items()}
        time = max(content.time for content in contents)
        shared = [replace(content, commit_message=message, moves_branch=bool(files), time=time) for content in contents]
        return (replace(shared[0], files=files), *shared[1:])

    def _branch(self, request: ReleaseRequest) -> str:
        return (self.manager.repository.head().branch or "") if request.until == "HEAD" else ""

    def _content(self, planned: Planned, time: int) -> ReleaseContent:
        """The content without files; `time` is the day of the release."""
        scene, plan = planned.scene, planned.plan
        version, tag = plan.next_version or "", plan.tag or ""
        parsed = scene.read(version)
        base = scene.repository.commit(scene.request.until)
        release = Release(version, plan.changes, tag, plan.previous_tag or "", time, planned.history)
        name = scene.component.name if scene.component and len(scene.config.components) > 1 else ""
        newcomers = Newcomers(reversed(planned.history), _earlier(scene))
        notes = release_notes(release, self.manager.styled(scene.rules), self.manager.forge, newcomers, name or self.name)
        branch = scene.request.branch or self._branch(scene.request)
        body, told = self.redact(notes.body), tuple(map(self.redact, announcement(notes.title, plan.changes).lines))
        return ReleaseContent(
            version, tag, plan.previous_tag or "", base, branch, _time_of(planned, base), release_message([tag]), tag_text(tag), notes.title, body,
            prerelease=bool(parsed and not parsed.stable), latest=_latest(planned, parsed), threads=tuple(threads(plan.changes)), highlights=told,
        )  # fmt: skip

    def _changelog(self, planned: Planned, content: ReleaseContent, texts: Mapping[str, str]) -> dict[str, str]:
        """The changelog with the release's section, by its path; empty where it stays."""
        scene, plan = planned.scene, planned.plan
        path = changelog_path(scene)
        release = Release(content.version, plan.changes, content.tag, content.previous_tag, int(self.manager.clock.now()), planned.history)
        section = self.redact(changelog_section(release, self.manager.styled(scene.rules), self.manager.forge))
        present = scene.repository.read_files([path], content.base, MAX_VERSION_FILE).get(path, b"").decode("utf-8", "surrogateescape")
        updated = update_changelog(texts.get(path, present), section, content.version).text
        return {path: updated} if updated != present else {}


def components_of(whole: Scene) -> tuple[ReleaseRequest, ...]:
    """A request for each component, where the configuration has several and none was asked for."""
    parts = whole.config.components
    if whole.request.component or len(parts) < 2:
        return (whole.request,)
    return tuple(replace(whole.request, component=part.name or part.path) for part in parts)


def scene_files(planned: Planned) -> dict[str, str]:
    """The version files of one plan as they become."""
    return dict(planned.scene.planned_files(planned.plan.next_version or "").texts)


def begun(scene: Scene) -> ReleaseTag | None:
    """The tag of a release of this very commit: on it, or on the release commit that follows it. Of several the highest version."""
    base = scene.repository.commit(scene.request.until)
    ours = [tag for tag in scene.tags if tag.name in scene.versions]
    here = [tag for tag in ours if tag.commit == base] or [tag for tag in _newest(ours) if _follows(scene, tag, base)]
    return max(here, key=lambda tag: scene.versions[tag.name].precedence, default=None)


def release_message(tags: Sequence[str]) -> str:
    """The message of a release commit; by it we know it again."""
    if len(tags) == 1:
        return f"{_TITLE}{tags[0]}"
    return f"{_TITLE}{len(tags)} components\n\n" + "".join(f"- {tag}\n" for tag in tags)


def is_release_of(message: str, tag: str) -> bool:
    """Whether a commit's message is that of a release commit of ours for this tag, perhaps among others."""
    title, _, rest = message.partition("\n")
    return title == f"{_TITLE}{tag}" or (title.startswith(_TITLE) and f"- {tag}" in rest.splitlines())


def tag_text(tag: str) -> str:
    """The message of the annotated tag."""
    return f"Release {tag}"


def changelog_path(scene: Scene) -> str:
    """The changelog's path from the top of the repository."""
    part = scene.component
    name = part.changelog if part else scene.config.changelog
    folder = scene.rules.path.strip("./")
    return f"{folder}/{name}" if folder and not name.startswith(f"{folder}/") else name


def threads(changes: Iterable[Change]) -> Iterator[Thread]:
    """The issues that the changes close and the requests that brought them, each once, at most a hundred."""
    return islice(dict.fromkeys(_threads(changes)), _MOST_THREADS)


def _threads(changes: Iterable[Change]) -> Iterator[Thread]:
    for change in changes:
        for ref in change.refs:
            number = _NUMBER.fullmatch(ref.target)
            if number is None:
                continue  # of another repository
            if ref.target.startswith("!") or ref.action == REQUEST:
                yield Thread(ThreadKind.REQUEST, int(number[1]))
            elif _CLOSING.fullmatch(ref.action):
                yield Thread(ThreadKind.ISSUE, int(number[1]))


def _earlier(scene: Scene) -> Iterator[Person]:
    """The people of all releases before, so that the newcomers of this one can be told."""
    if scene.previous is None:
        return
    seen = set()
    for commit in scene.repository.history(scene.previous.commit):
        if (commit.author, commit.email) not in seen or "uthored-" in commit.message:
            seen.add((commit.author, commit.email))
            yield from people_of(commit)


def _newest(tags: Iterable[ReleaseTag]) -> list[ReleaseTag]:
    return sorted(tags, key=lambda tag: tag.time, reverse=True)[:_MOST_TAGS]


def _follows(scene: Scene, tag: ReleaseTag, base: str) -> bool:
    commit = next(iter(scene.repository.history(tag.commit)), None)
    return commit is not None and commit.parents[:1] == (base,) and is_release_of(commit.message, tag.name)


def _time_of(planned: Planned, base: str) -> int:
    """The base commit's own time, so that each run makes the same release commit."""
    known = next((commit.time for commit in planned.history[:1] if commit.sha == base), None)
    return known if known is not None else next(commit.time for commit in planned.scene.repository.history(base))


def _latest(planned: Planned, version: Version | None) -> bool:
    """Whether it becomes the latest release: a stable version above all stable ones that there are."""
    if version is None:
        return True
    others = [known for known in planned.scene.versions.values() if known.stable]
    return version.stable and all(known.precedence <= version.precedence for known in others)


_RANK = {Bump.NONE: 0, Bump.PATCH: 1, Bump.MINOR: 2, Bump.MAJOR: 3}


def _against(version: Version, asking: Planned, tag: str) -> Finding | None:
    """What speaks against the tag's version: it asks for less than the commits since the last release do."""
    if asking.scene.calendar:
        return None  # what the commits ask for is the version of today, and the tag may be of another day
    wanted = asking.scene.read(asking.plan.next_version)
    if asking.plan.bump is Bump.NONE or wanted is None or not version.stable or version.precedence >= wanted.precedence:
        return None
    weight = max((item for item in asking.plan.decisions), key=lambda item: _RANK[item.bump], default=None)
    evidence = (Evidence("commit", weight.sha, weight.text),) if weight else ()
    return Finding("release.tag-too-low", f"The tag {tag} is below {wanted}, which the commits ask for", "error", 1.0, evidence)


def _verified(verdict: ReleaseVerdict, tag: str, finding: Finding | None, strict: bool, exists: bool) -> ReleaseVerdict:
    if finding is None:
        note = f"The tag {tag} exists; its release is finished." if exists else f"The request for {tag} was merged."
        return replace(verdict, title=f"{tag} ({verdict.details.bump})", notes=(*verdict.notes, note))
    if strict:
        summary = f"{finding.title}. Tags are never moved: tag a higher version, or allow it with `verify-tag: warn`."
        return replace(verdict, outcome=Outcome.FAIL, title=finding.title, summary=summary, findings=(finding,))
    return replace(verdict, findings=(finding,), notes=(*verdict.notes, f"{finding.title}; it is released as `verify-tag: warn` allows."))

"""Which of the files of a repository decides about releases, and what it says. The order is fixed and told in docs/release-config.md.

The reader of a tool is imported when a file of that tool is there: most repositories need one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cicd_agents.analysis.release_config.document import Document, by_suffix, decode, read_json, read_toml, read_yaml
from cicd_agents.analysis.release_config.found import FoundConfig
from cicd_agents.analysis.release_config.places import CONFIGS, MANIFESTS

Files = Mapping[str, bytes]
Reader = Callable[[str, Files], FoundConfig | None]


@dataclass(frozen=True, slots=True)
class Source:
    """A place where a configuration may stand: the file, and what reads it; None from it: the file has no such settings."""

    file: str
    read: Reader


def find_config(files: Files) -> FoundConfig | None:
    """What the first file that holds a release configuration says; None where none does.

    `files` are the contents by path from the root; ask for `CONFIG_FILES`, `further_files` and the workflows under `WORKFLOWS`.
    Later files are told in the notes and not used. Raises UsageError, with file and line, for a file that is damaged or a setting of the wrong kind.
    """
    for at, source in enumerate(SOURCES):
        found = source.read(source.file, files) if source.file in files else None
        if found is not None:
            unused = _unused(files, found, SOURCES[at + 1 :])
            return replace(found, notes=found.notes + unused)
    from cicd_agents.analysis.release_config import release_please_action

    return release_please_action.from_workflows(files)


def further_files(files: Files) -> tuple[str, ...]:
    """Paths beyond `CONFIG_FILES` that the configuration found so far makes worth reading: the package files that name components."""
    if not any(path in files for path in CONFIGS):
        return ()
    from cicd_agents.analysis.release_config import release_please

    return release_please.component_files(files)


def _unused(files: Files, found: FoundConfig, later: tuple[Source, ...]) -> tuple[str, ...]:
    """A note for each dedicated file of another tool; tables in shared files are not looked for."""
    there = dict.fromkeys(source.file for source in later if source.file in files and source.file not in _SHARED and source.file != found.file)
    return tuple(f"{file} is there as well and is not used; {found.file} decides" for file in there)


def _release_please(file: str, files: Files) -> FoundConfig | None:
    from cicd_agents.analysis.release_config import release_please

    return release_please.from_document(read_json(file, files[file]), files)


def _semantic_release(file: str, files: Files) -> FoundConfig | None:
    from cicd_agents.analysis.release_config import semantic_release

    return semantic_release.from_document(by_suffix(file)(file, files[file]))


def _semantic_release_code(file: str, files: Files) -> FoundConfig | None:
    from cicd_agents.analysis.release_config import semantic_release
    from cicd_agents.analysis.release_config.javascript import exported

    text = decode(file, files[file])
    return semantic_release.from_document(Document(file, {}, text), exported(text))


def _semantic_release_key(file: str, files: Files) -> FoundConfig | None:
    section = _package_section(file, files, ("release",))
    if section is None:
        return None
    from cicd_agents.analysis.release_config import semantic_release

    found = semantic_release.from_document(section[1])
    return replace(found, rules=replace(found.rules, source=f"{file} ({section[0]})"))


def _python_semantic_release(file: str, files: Files) -> FoundConfig | None:
    table = _table(file, files, "semantic_release" if file.endswith(".cfg") else "tool.semantic_release")
    if table is None:
        return None
    from cicd_agents.analysis.release_config import python_semantic_release

    return python_semantic_release.from_document(*table)


def _standard_version(file: str, files: Files) -> FoundConfig | None:
    from cicd_agents.analysis.release_config import standard_version

    return standard_version.from_document((read_json if file.endswith(".json") else read_yaml)(file, files[file]))


def _standard_version_code(file: str, files: Files) -> FoundConfig | None:
    from cicd_agents.analysis.release_config import standard_version
    from cicd_agents.analysis.release_config.javascript import exported

    text = decode(file, files[file])
    return standard_version.from_document(Document(file, {}, text), exported(text))


def _standard_version_key(file: str, files: Files) -> FoundConfig | None:
    section = _package_section(file, files, ("commit-and-tag-version", "standard-version"))
    if section is None:
        return None
    from cicd_agents.analysis.release_config import standard_version

    found = standard_version.from_document(section[1])
    return replace(found, rules=replace(found.rules, source=f"{file} ({section[0]})"))


def _cocogitto(file: str, files: Files) -> FoundConfig | None:
    from cicd_agents.analysis.release_config import cocogitto

    return cocogitto.from_document(read_toml(file, files[file]))


def _commitizen(file: str, files: Files) -> FoundConfig | None:
    table = _table(file, files, "tool.commitizen" if file.endswith(".toml") else "commitizen")
    if table is None:
        return None
    from cicd_agents.analysis.release_config import commitizen

    return commitizen.from_document(*table)


def _commitizen_ini(file: str, files: Files) -> FoundConfig | None:
    table = _table(file, files, "commitizen")
    if table is None:
        return None
    from cicd_agents.analysis.release_config import commitizen

    return commitizen.from_document(commitizen.with_lists(table[0]), table[1])


def _git_cliff(file: str, files: Files) -> FoundConfig | None:
    from cicd_agents.analysis.release_config import git_cliff

    return git_cliff.from_document(by_suffix(file)(file, files[file]), file)


def _git_cliff_in(path: str) -> Reader:
    def read(file: str, files: Files) -> FoundConfig | None:
        table = _table(file, files, path)
        if table is None:
            return None
        from cicd_agents.analysis.release_config import git_cliff

        return git_cliff.from_document(*table)

    return read


def _package_section(file: str, files: Files, keys: tuple[str, ...]) -> tuple[str, Document] | None:
    """The first of the keys of package.json that is a table, and that table."""
    package = read_json(file, files[file])
    key = next((key for key in keys if isinstance(package.table.get(key), dict)), None)
    return None if key is None else (key, package.section(key))


def _table(file: str, files: Files, path: str) -> tuple[Document, str] | None:
    """A table of a file such as `tool.commitizen`, and how to call the place; None where the file has none."""
    document = by_suffix(file)(file, files[file])
    for key in path.split("."):
        if not isinstance(document.table.get(key), dict):
            return None
        document = document.section(key)
    return document, f"{file} [{path}]"


# Tools that release on their own go before tools that also only check commits or only write changelogs.
SOURCES: tuple[Source, ...] = (
    *(Source(file, _release_please) for file in CONFIGS),
    *(Source(file, _semantic_release) for file in (".releaserc", ".releaserc.json", ".releaserc.yaml", ".releaserc.yml")),
    *(Source(f"{stem}.{end}", _semantic_release_code) for stem in (".releaserc", "release.config") for end in ("js", "cjs", "mjs", "ts")),
    Source("package.json", _semantic_release_key),
    Source("pyproject.toml", _python_semantic_release),
    Source("setup.cfg", _python_semantic_release),
    *(Source(file, _standard_version) for file in (".versionrc", ".versionrc.json")),
    *(Source(file, _standard_version_code) for file in (".versionrc.js", ".versionrc.cjs", ".versionrc.mjs")),
    Source("package.json", _standard_version_key),
    *(Source(file, _cocogitto) for file in ("cog.toml", ".cog.toml")),
    *(Source(file, _commitizen) for file in (".cz.toml", "cz.toml", ".cz.json", "cz.json", ".cz.yaml", "cz.yaml", "pyproject.toml")),
    Source("setup.cfg", _commitizen_ini),
    *(Source(file, _git_cliff) for file in ("cliff.toml", ".cliff.toml", ".config/cliff.toml", "cliff.yaml", "cliff.yml")),
    Source("pyproject.toml", _git_cliff_in("tool.git-cliff")),
    Source("Cargo.toml", _git_cliff_in("workspace.metadata.git-cliff")),
    Source("Cargo.toml", _git_cliff_in("package.metadata.git-cliff")),
)  # fmt: skip
_SHARED = frozenset(("package.json", "pyproject.toml", "setup.cfg", "Cargo.toml"))
# All paths that are looked at, each once; the manifests belong to the first.
CONFIG_FILES: tuple[str, ...] = (*dict.fromkeys(source.file for source in SOURCES), *MANIFESTS)

"""Which files of a repository may hold its version (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from cicd_agents.analysis.version_files.known import KINDS
from cicd_agents.analysis.version_files.places import file_name

# Folders of other people's packages, of samples and of built copies: a version there is not the project's.
_FOREIGN = {
    "node_modules", "vendor", "third_party", "third-party", "external", "bower_components", "site-packages", ".venv", "venv", ".git", ".tox",
    "test", "tests", "__tests__", "testdata", "test-data", "test_data", "testing", "fixtures", "__fixtures__", "fixture", "mocks", "e2e",
    "example", "examples", "sample", "samples", "demo", "demos", "templates", "template", "benchmark", "benchmarks",
    "dist", "coverage",
}  # fmt: skip
# Where a Python package keeps its `__version__`; other modules are read where the user names them.
_MODULES = {"__init__.py", "__version__.py", "_version.py", "version.py", "__about__.py", "about.py", "_about.py", "__meta__.py", "__pkginfo__.py", "setup.py"}
_MODULE_DEPTH = 2  # folders above it: src/package/__init__.py
# What the names of all kinds end in: most files of a repository are passed over by this alone.
_ENDINGS = {
    "json", "toml", "lock", "cfg", "py", "txt", "md", "rst", "adoc", "xml", "properties", "gradle", "kts", "yaml", "yml", "gemspec", "rb", "locked", "exs",
    "csproj", "fsproj", "vbproj", "props", "targets", "version", "kustomization",
}  # fmt: skip
_TEXTS = (".md", ".rst", ".adoc", ".txt")
_TEXT_DEPTH = 1  # README.md and docs/install.md


def version_files(paths: Iterable[str], folder: str = "", named: Iterable[str] = ()) -> tuple[str, ...]:
    """Of all paths of a repository those to read for versions, in order: the known kinds below `folder`, and what the user named.

    The lock files at the root belong to every folder: npm, Cargo and uv keep one for the whole workspace.
    """
    prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
    wanted = set(named)
    return tuple(
        sorted(path for path in set(paths) if path in wanted or path in _ROOT_LOCKS or (path.startswith(prefix) and _is_candidate(path[len(prefix) :])))
    )


_ROOT_LOCKS = ("package-lock.json", "npm-shrinkwrap.json", "Cargo.lock", "uv.lock", "poetry.lock", "Gemfile.lock")


def _is_candidate(path: str) -> bool:
    name = file_name(path)
    if name.rpartition(".")[2].lower() not in _ENDINGS:
        return False
    depth = path.count("/")
    if name.endswith(".py"):
        wanted = name in _MODULES and depth <= _MODULE_DEPTH
    elif name == "version.rb":
        wanted = path.startswith("lib/") or "/lib/" in path
    elif name.endswith(_TEXTS) or name.lower() in {"version", ".version"}:
        wanted = depth <= _TEXT_DEPTH and not name.lower().startswith("changelog")
    else:
        wanted = _is_known(name)
    return wanted and not any(folder.lower() in _FOREIGN for folder in path.split("/")[:-1])


@lru_cache(maxsize=4096)
def _is_known(name: str) -> bool:
    """Names repeat in large repositories, and there are many kinds to ask."""
    return any(kind.belongs(name) for kind in KINDS if kind.family != "marks")

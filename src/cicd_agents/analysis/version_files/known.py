"""All kinds of version files (pure). A new kind is a module in `kinds/` and a line here; the order is the one in which they are told."""

from __future__ import annotations

from cicd_agents.analysis.version_files.kinds import (
    cargo_lock,
    cargo_toml,
    chart,
    composer,
    gemfile_lock,
    gemspec,
    gradle,
    kustomize,
    marks,
    mix,
    msbuild,
    openapi,
    package_json,
    package_lock,
    pom,
    pubspec,
    pyproject,
    python_locks,
    python_version,
    setup_cfg,
    setup_py,
    version_txt,
)
from cicd_agents.analysis.version_files.places import Kind

KINDS: tuple[Kind, ...] = (
    package_json.KIND,
    package_lock.KIND,
    cargo_toml.KIND,
    cargo_lock.KIND,
    pyproject.KIND,
    *python_locks.KINDS,
    setup_cfg.KIND,
    setup_py.KIND,
    python_version.KIND,
    version_txt.KIND,
    pom.KIND,
    *gradle.KINDS,
    chart.KIND,
    composer.KIND,
    *gemspec.KINDS,
    gemfile_lock.KIND,
    mix.KIND,
    pubspec.KIND,
    msbuild.KIND,
    openapi.KIND,
    kustomize.KIND,
    *marks.KINDS,
)


def kinds_of(path: str, own: tuple[Kind, ...] = ()) -> tuple[Kind, ...]:
    """The kinds that a path belongs to; `own` are those of the user's patterns."""
    return tuple(kind for kind in (*own, *KINDS) if kind.belongs(path))

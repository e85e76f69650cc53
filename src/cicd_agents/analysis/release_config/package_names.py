"""The name of a package as its own files say it, for the components of release-please."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cicd_agents.analysis.release_config.document import Document, read_json, read_toml, read_yaml


def package_name(release_type: str, folder: str, files: Mapping[str, bytes]) -> str:
    """The name, or "" where the release type has no such file or it was not read. Raises UsageError for a damaged file."""
    known = _FILES.get(release_type)
    if known is None:
        return ""
    name, reader = known
    path = f"{folder}/{name}" if folder else name
    return reader(path, files[path]) if path in files else ""


def _of(read: Callable[[str, bytes], Document], *sections: str) -> Callable[[str, bytes], str]:
    """A reader that looks for `name` in the first of the sections that has one; "" is the top of the file."""

    def look(path: str, data: bytes) -> str:
        document = read(path, data)
        for section in sections:
            inner = document
            for key in filter(None, section.split(".")):
                inner = inner.section(key)
            if "name" in inner:
                return inner.text_at("name")
        return ""

    return look


_JSON, _YAML = _of(read_json, ""), _of(read_yaml, "")
_FILES: dict[str, tuple[str, Callable[[str, bytes], str]]] = {
    "node": ("package.json", _JSON), "expo": ("package.json", _JSON), "php": ("composer.json", _JSON), "php-yoshi": ("composer.json", _JSON),
    "rust": ("Cargo.toml", _of(read_toml, "package")), "python": ("pyproject.toml", _of(read_toml, "project", "tool.poetry")),
    "uv": ("pyproject.toml", _of(read_toml, "project")), "dart": ("pubspec.yaml", _YAML), "helm": ("Chart.yaml", _YAML),
}  # fmt: skip

"""pubspec.lock of Dart and Flutter (pure)."""

from __future__ import annotations

from cicd_agents.analysis.changes.packages import Pairs, at_commit, lines_of


def pub(text: str) -> Pairs:
    """The entries of `packages`, by indentation; the SDK constraints under `sdks` count as packages too, for they change with the others."""
    section, name, found = "", "", dict.fromkeys(_KEYS, "")
    for line in lines_of(text):
        if line[:1] not in {" ", "", "#"}:
            yield _entry(name, found)
            section, name = line.rstrip().removesuffix(":"), ""
        elif line.startswith("  ") and line[2:3] not in {" ", ""}:
            yield _entry(name, found)
            key, _, value = line.strip().partition(":")
            name, found = key, dict.fromkeys(_KEYS, "")
            if section == "sdks":
                yield f"{key} SDK", _plain(value)
            name = key if section == "packages" else ""
        elif name and (key := line.strip().partition(":")[0]) in found and line.startswith(_KEYS[key]):
            found[key] = _plain(line.partition(":")[2])
    yield _entry(name, found)


# The keys that are wanted, with the indentation at which they stand.
_KEYS = {"version": "    v", "source": "    s", "resolved-ref": "      r"}


def _plain(value: str) -> str:
    return value.strip().strip("\"'")


def _entry(name: str, found: dict[str, str]) -> tuple[str, str]:
    if found["source"] in {"path", "sdk"}:
        return "", ""
    return name, at_commit(found["version"], found["resolved-ref"] if found["source"] == "git" else "")

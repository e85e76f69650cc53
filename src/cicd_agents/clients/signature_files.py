"""The user's own signatures: every *.toml of a folder, held to the same checks as ours."""

from __future__ import annotations

from pathlib import Path

from cicd_agents.analysis.logs.signature import Signature, parse_file
from cicd_agents.analysis.logs.signature_check import problems
from cicd_agents.domain.errors import SignatureError, UsageError

MAX_FILE = 4 << 20


def read(folder: Path) -> tuple[Signature, ...]:
    """All signatures of a folder. Raises UsageError for the folder, SignatureError for a file or rule."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: is not a folder; --signatures takes a folder of *.toml files.")
    found: dict[str, tuple[str, Signature]] = {}
    for file in sorted(folder.glob("*.toml")):
        for rule in parse_file(_text(file), str(file)):
            for problem in problems(rule):
                raise SignatureError(f"{file}: rule {rule.id}: {problem}.")
            if rule.id in found:
                raise SignatureError(f"{file}: rule {rule.id}: the id is taken in {found[rule.id][0]}.")
            found[rule.id] = (str(file), rule)
    if not found:
        raise UsageError(f"{folder}: holds no *.toml file with signatures; see docs/signatures.md for the form.")
    return tuple(rule for _, rule in found.values())


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_FILE:
            raise SignatureError(f"{file}: larger than {MAX_FILE >> 20} MiB; split it.")
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        raise SignatureError(f"{file}: not UTF-8 (byte {problem.start}).") from None
    except OSError as problem:
        raise SignatureError(f"{file}: cannot be read: {problem.strerror or problem}.") from None

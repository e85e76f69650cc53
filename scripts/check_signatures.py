"""Check signature files: `python scripts/check_signatures.py [FILE_OR_DIR...]` (the bundled ones by default). Exit 1 on a problem."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from cicd_agents.analysis.logs.signature import parse_file
from cicd_agents.analysis.logs.signature_check import problems
from cicd_agents.domain.errors import SignatureError

BUNDLED = Path(__file__).resolve().parent.parent / "src/cicd_agents/analysis/logs/signatures"


def main(arguments: list[str]) -> int:
    paths = [Path(argument) for argument in arguments] or [BUNDLED]
    files = [file for path in paths for file in (sorted(path.glob("*.toml")) if path.is_dir() else [path])]
    bad, total = 0, 0
    seen: dict[str, str] = {}
    for file in files:
        try:
            signatures = parse_file(file.read_text(), file.name)
        except SignatureError as problem:
            print(problem)
            bad += 1
            continue
        for signature in signatures:
            total += 1
            for reason in problems(signature):
                print(f"{file.name}: rule {signature.id}: {reason}.")
                bad += 1
            if signature.id in seen:
                print(f"{file.name}: rule {signature.id}: the id is taken in {seen[signature.id]}.")
                bad += 1
            seen[signature.id] = file.name
    print(f"{total} signatures in {len(files)} files, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

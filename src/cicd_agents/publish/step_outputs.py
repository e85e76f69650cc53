"""The step outputs of GitHub: blocks `name<<delimiter` in a file, whose delimiter nobody can foresee."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from cicd_agents.publish.outcome import Published, PublishStatus, written

DESTINATION = "outputs"
_TRIES = 3


def publish_outputs(file: str, values: Mapping[str, str], delimiter: Callable[[], str]) -> Published:
    """Append the values to the output file ($GITHUB_OUTPUT); `delimiter` gives 128 random bits as text at each call. Skipped without a file."""
    if not file:
        return Published(DESTINATION, PublishStatus.SKIPPED, why="This platform has no step outputs.")

    def write() -> Published:
        blocks = [block(name, value, delimiter) for name, value in values.items()]
        whole = [text for text in blocks if text is not None]
        if len(whole) < len(blocks):
            return Published(DESTINATION, PublishStatus.FAILED, why="No delimiter was found that does not stand in a value.")
        with Path(file).open("a", encoding="utf-8", errors="replace", newline="") as outputs:
            outputs.write("".join(whole))
        return Published(DESTINATION, PublishStatus.CREATED)

    return written(DESTINATION, write)


def block(name: str, value: str, delimiter: Callable[[], str]) -> str | None:
    """One output; None where every delimiter that was offered stands in the value."""
    for _ in range(_TRIES):
        border = f"cicd-agents-{delimiter()}"
        if border not in value:
            return f"{name}<<{border}\n{value}\n{border}\n"
    return None

"""What the process is given, for all that is built in this room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cicd_agents.domain.ports import Clock
from cicd_agents.domain.redaction import Redactor

if TYPE_CHECKING:
    from cicd_agents.analysis.logs.scan import Catalogue
    from cicd_agents.clients.http import Timeouts

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class World:
    """What the process is given: variables, standard output, what is said beside the report, known secrets, signatures, time, limits of single calls."""

    environment: Mapping[str, str]
    out: Callable[[str], object]
    say: Say
    redactor: Redactor
    catalogue: Callable[[str | None], Catalogue]
    clock: Clock
    timeouts: Timeouts | None = None

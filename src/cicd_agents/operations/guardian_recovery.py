"""After a rollback: waits until the tool is at the revision and healthy, and the metrics are back to normal; says exactly what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cicd_agents.domain.errors import RateLimited, ServiceError, Unavailable
from cicd_agents.domain.guardian import DeliveryStanding, KnownRevision
from cicd_agents.domain.operation import Operation
from cicd_agents.domain.ports import Clock
from cicd_agents.operations.guardian_versions import same, shown

VERIFY = "VerifyRecovery"
# Seconds before the second look; later waits grow up to the longest one, and begin anew when it looks well.
FIRST_WAIT, GROWTH, LONGEST_WAIT = 2.0, 1.5, 20.0
# How often in a row all must be well: between two looks pods may still fall over.
QUIET_LOOKS = 2
# How often in a row the tool must say that it has given up: its first word may still be about the bad version.
FAILED_LOOKS = 2


class NotRecovered(ServiceError):
    """The rollback was done and the target is not well. The text says what is not back."""


def recovery_operation(target: str, to: KnownRevision | None, key: str, seconds: float) -> Operation:
    """The wait as an operation: it writes nothing."""
    return Operation(
        VERIFY, target, f"A rollback is done when {target} is {_where(to)} and well again, not when it was asked for.", "Nothing is written.",
        f"{VERIFY}:{target}:{key}", parameters=(("to", to.id if to else ""), ("seconds", f"{seconds:.0f}")),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recovery:
    """The wait for one rollback. `to` is None for a freeze: then the stable version must have all traffic.

    `look` may raise ServiceError. `recovered` says why the metrics are not back to normal yet, None: they are; it is only asked when the tool is well.
    `before` is how the target stood before anything was done. `note` hears what is waited for.
    """

    look: Callable[[], DeliveryStanding]
    to: KnownRevision | None
    clock: Clock
    seconds: float
    recovered: Callable[[], str | None] = lambda: None
    before: DeliveryStanding | None = None
    note: Callable[[str], None] = lambda _text: None

    def verify(self, operation: Operation) -> str:
        """Applier: how it stands when all is well. Raises NotRecovered when the time is up or the tool has given up, and ServiceError."""
        began, wait, quiet, given_up = self.clock.monotonic(), FIRST_WAIT, 0, 0
        while True:
            missing, failed = self._missing()
            quiet, given_up = 0 if missing else quiet + 1, given_up + 1 if failed else 0
            passed = self.clock.monotonic() - began
            if quiet >= QUIET_LOOKS:
                return f"It is {_where(self.to)}, healthy, and the metrics are back to normal, after {passed:.0f} s."
            if given_up >= FAILED_LOOKS:
                raise NotRecovered(f"{operation.target} did not recover: {missing}.")
            if passed >= self.seconds:
                raise NotRecovered(f"{operation.target} did not recover within {self.seconds:.0f} s: {missing or 'it was well for one look only'}.")
            if missing:
                self.note(f"{operation.target}: {missing}.")
            wait = wait if missing else FIRST_WAIT
            self.clock.sleep(min(wait, self.seconds - passed))
            wait = min(wait * GROWTH, LONGEST_WAIT)

    def _missing(self) -> tuple[str, bool]:
        """What is not back, empty: nothing; and whether the tool has given up."""
        try:
            standing = self.look()
            missing, failed = self._of_the_tool(standing)
            return (missing, failed) if missing else ((self.recovered() or "").rstrip("."), False)
        except (Unavailable, RateLimited) as problem:
            return str(problem).rstrip("."), False

    def _of_the_tool(self, standing: DeliveryStanding) -> tuple[str, bool]:
        if standing.failed and not (self.before and self.before.failed == standing.failed):
            return standing.failed.rstrip("."), True
        if not standing.settled:
            return f"it is still changing{_health(standing)}", False
        if self.to is None:
            frozen = standing.share is None or standing.share <= 0
            return ("" if frozen else f"the canary still has {standing.share or 0:.0%} of the traffic"), False
        return self._at_revision(standing, self.to), False

    def _at_revision(self, standing: DeliveryStanding, to: KnownRevision) -> str:
        # A tool that sends the traffic back and keeps the bad version in its specification is there as well, when nothing of the traffic is left on that.
        stable = standing.stable is not None and same(to, standing.stable, standing.earlier) and standing.share == 0
        if not stable and (standing.current is None or not same(to, standing.current, standing.earlier)):
            runs = shown(standing.current) if standing.current else "something unknown"
            return f"it runs {runs} and not {shown(to)}"
        if standing.healthy is not True and not stable:
            return f"it is not healthy{_health(standing)}" if standing.healthy is False else f"it does not tell whether it is healthy{_health(standing)}"
        return standing.failed.rstrip(".")


def _where(to: KnownRevision | None) -> str:
    return f"at {shown(to)}" if to else "on the stable version"


def _health(standing: DeliveryStanding) -> str:
    return f" ({standing.health})" if standing.health else ""

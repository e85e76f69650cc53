"""Where the report of a release goes: the terminal, files, the job summary, outputs for later steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cicd_agents.domain.context import Platform, RunContext
from cicd_agents.publish.dotenv import publish_dotenv
from cicd_agents.publish.outcome import Published, PublishStatus
from cicd_agents.publish.report_files import publish_files
from cicd_agents.publish.step_outputs import publish_outputs
from cicd_agents.publish.step_summary import publish_summary
from cicd_agents.report.document import ReleaseReport
from cicd_agents.report.files import FILES
from cicd_agents.report.release_formats import RENDER
from cicd_agents.report.release_outputs import to_release_outputs
from cicd_agents.settings.model import Settings


@dataclass(frozen=True, slots=True)
class ReleasePlaces:
    """Publishes one report; `token` gives 128 random bits as text, `form` is how it is printed."""

    context: RunContext
    settings: Settings
    out: Callable[[str], object]
    token: Callable[[], str]
    form: str = "text"

    def tell(self, report: ReleaseReport, url: str, changelog: str, say: Callable[[str], None]) -> bool:
        """Print and, in CI, publish; whether a publication failed."""
        self.out(RENDER[self.form](report))
        if self.context.own_run is None:
            return False
        written = publish_files(
            Path(self.settings.report_dir), self._workspace, {FILES[name]: RENDER[name](report) for name in self.settings.reports if name in RENDER}
        )
        summary = publish_summary(self.context.summary_file, RENDER["markdown"](report)) if self.settings.summary else None
        paths = [str(written.paths.get(FILES[name], "")) for name in ("markdown", "json")]
        outputs = to_release_outputs(report, url=url, changelog_path=changelog, report_path=paths[0], json_path=paths[1])
        told = [item for item in (written.published, summary, self._outputs(outputs)) if item is not None]
        for item in told:
            if item.status is PublishStatus.FAILED:
                say(f"{item.destination}: {item.status} ({item.why})")
        return any(item.status is PublishStatus.FAILED for item in told)

    @property
    def _workspace(self) -> Path:
        return Path(self.context.workspace or ".")

    def _outputs(self, values: dict[str, str]) -> Published | None:
        if self.context.output_file:
            return publish_outputs(self.context.output_file, values, self.token)
        if self.context.platform in (Platform.GITLAB, Platform.JENKINS):
            return publish_dotenv(Path(self.settings.report_dir), self._workspace, values)
        return None

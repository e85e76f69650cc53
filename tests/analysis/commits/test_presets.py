import pytest
from tests.analysis.commits.reading_of import plan

from cicd_agents.analysis.commits.presets import PRESETS, release_please_types
from cicd_agents.domain.release import ReleaseRules

# What each tool makes of one message on 1.0.0; measured with the tools, or read in their sources (docs/release-rules.md).
ROWS = {
    "docs: a": "none none none none none none none patch",
    "refactor: a": "none none none none none patch none patch",
    "perf: a": "patch patch patch patch patch patch none patch",
    "feature: a": "none none none minor none minor none patch",
    "fix!: a": "major none major major major major major major",
    "feat:a": "none none none minor none minor none none",
    "fix: a\n\nBREAKING-CHANGE: b": "major patch major major major major major major",
    "fix: a\n\nbreaking change b": "patch major major patch patch patch patch patch",
    "docs: a\n\n* feat: b c": "minor none none none minor none none patch",
    "docs: a\n\nfeat: b c": "minor none none minor minor minor none patch",
    "Feat: a": "minor none none minor none none minor minor",
    "docs: a\n\nBEGIN_NESTED_COMMIT\nfix: b\nEND_NESTED_COMMIT": "patch none none patch none patch none patch",
}  # fmt: skip
NAMES = ("default", "angular", "conventionalcommits", "release-please", "python-semantic-release", "commitizen", "cocogitto", "git-cliff")


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_bumps_as_its_tool_does(name: str) -> None:
    column = NAMES.index(name)
    found = {message: plan(message, current="1.0.0", preset=PRESETS[name]).bump.value for message in ROWS}
    assert found == {message: row.split()[column] for message, row in ROWS.items()}


def test_release_types_show_different_sections() -> None:
    chosen = PRESETS["release-please"]
    for kind, expected in (("simple", "none"), ("python", "patch")):
        rules = ReleaseRules(release_please_types(release_type=kind), any_visible_is_patch=True)
        assert plan("docs: a", preset=type(chosen)(rules, chosen.reading)).bump.value == expected

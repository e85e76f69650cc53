"""CHANGELOG.md in place: where the section goes, and that nothing of what people wrote changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cicd_agents.analysis.changelog.marks import marked
from cicd_agents.analysis.changelog.style import Form
from cicd_agents.analysis.changelog.update import update_changelog

KEEP, CONVENTIONAL = Form.KEEP_A_CHANGELOG, Form.CONVENTIONAL
SECTION = "## [1.2.0](https://x.example/c) - 2024-01-02\n\n### Added\n\n- ours\n\n### Fixed\n\n- a fix\n"
OURS = marked("1.2.0", SECTION)


def added(existing: str, form: Form = CONVENTIONAL) -> str:
    """What was added, with a sign where it stands; all else must be as it was."""
    text = update_changelog(existing, SECTION, "1.2.0", form).text
    at = text.index(OURS)
    before, after = text[:at], text[at + len(OURS) :]
    assert (before.rstrip("\n") + after.lstrip("\n")).replace("\n", "") == existing.replace("\n", "")
    return f"{before}HERE\n{after}"


@pytest.mark.parametrize(
    ("existing", "result"),
    [
        ("# Changelog\n\nWords.\n", "# Changelog\n\nWords.\n\nHERE\n"),
        ("# Changelog\nno line end", "# Changelog\nno line end\n\nHERE\n"),
        ("# Changelog\n\n## 1.1.0\n- x\n", "# Changelog\n\nHERE\n\n## 1.1.0\n- x\n"),
        ("## 1.1.0\n- x\n", "HERE\n\n## 1.1.0\n- x\n"),
        ("# Changelog\n\n### v1.1.0 (2020)\n", "# Changelog\n\nHERE\n\n### v1.1.0 (2020)\n"),
        ("# [1.1.0](x) (2020)\n", "HERE\n\n# [1.1.0](x) (2020)\n"),
        ("# App 2.0 news\n\n## App 1.1.0\n", "# App 2.0 news\n\nHERE\n\n## App 1.1.0\n"),
        ("# Changelog\n\n## core/v1.1.0\n", "# Changelog\n\nHERE\n\n## core/v1.1.0\n"),
        ("Changes\n=======\n\n1.1.0\n-----\n\n- x\n", "Changes\n=======\n\nHERE\n\n1.1.0\n-----\n\n- x\n"),
        ("# Changelog\n\n## Unreleased\n\n- mine\n\n## 1.1.0\n", "# Changelog\n\n## Unreleased\n\n- mine\n\nHERE\n\n## 1.1.0\n"),
        ("# Changelog\n\n## About\n\nx\n\n## 1.1.0\n", "# Changelog\n\n## About\n\nx\n\nHERE\n\n## 1.1.0\n"),
        ("# Changelog\n\n```md\n## 9.0.0\n```\n\n## 1.1.0\n", "# Changelog\n\n```md\n## 9.0.0\n```\n\nHERE\n\n## 1.1.0\n"),
        ("# Changelog\n\n<!--\n## 9.0.0\n-->\n## 1.1.0\n", "# Changelog\n\n<!--\n## 9.0.0\n-->\n\nHERE\n\n## 1.1.0\n"),
        ("# Changelog\n\nx\n\n[a]: http://a.example\n", "# Changelog\n\nx\n\nHERE\n\n[a]: http://a.example\n"),
    ],
)
def test_the_section_stands_above_the_older_releases(existing: str, result: str) -> None:
    assert added(existing) == result


def test_a_new_file_has_the_title_of_its_form() -> None:
    assert update_changelog("", SECTION, "1.2.0").text == f"# Changelog\n\n{OURS}"
    assert "https://keepachangelog.com/en/1.1.0/" in update_changelog("\n", SECTION, "1.2.0", KEEP).text


def test_the_next_release_stands_above_ours() -> None:
    file = update_changelog("# Changelog\n", SECTION, "1.2.0").text
    later = "## 1.3.0\n\n- new\n"
    assert update_changelog(file, later, "1.3.0").text == f"# Changelog\n\n{marked('1.3.0', later)}\n{OURS}"


def test_unreleased_without_content_stays_above() -> None:
    existing = "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2023-01-01\n\n[Unreleased]: http://a.example\n"
    assert added(existing, KEEP) == "# Changelog\n\n## [Unreleased]\n\nHERE\n\n## [1.1.0] - 2023-01-01\n\n[Unreleased]: http://a.example\n"


def test_what_people_wrote_below_unreleased_moves_into_the_release() -> None:
    existing = "# Changelog\n\n## [Unreleased]\n\n### Added\n- mine\n\n### Removed\n* gone\n\n## [1.1.0]\n- old\n\n[Unreleased]: http://a.example\n"
    text = update_changelog(existing, SECTION, "1.2.0", KEEP).text
    shown = re.sub(r"<!--.*-->\n", "", text)
    assert shown == (
        "# Changelog\n\n## [Unreleased]\n\n## [1.2.0](https://x.example/c) - 2024-01-02\n\n### Added\n- mine\n- ours\n\n### Removed\n* gone\n"
        "\n### Fixed\n\n- a fix\n\n\n## [1.1.0]\n- old\n\n[Unreleased]: http://a.example\n"
    )


def test_later_entries_below_unreleased_are_not_of_the_release_that_is_written_again() -> None:
    file = update_changelog("# Changelog\n\n## Unreleased\n\n### Added\n- mine\n", SECTION, "1.2.0", KEEP).text
    later = file.replace("## Unreleased\n", "## Unreleased\n\n- for the next one\n")
    again = update_changelog(later, SECTION.replace("- ours", "- ours, reworded"), "1.2.0", KEEP).text
    assert again.index("- for the next one") < again.index("## [1.2.0]") < again.index("- mine\n") < again.index("- ours, reworded")


def test_our_section_is_replaced_and_nothing_else() -> None:
    existing = "# Changelog\n\n## 1.1.0\n- x\n"
    file = update_changelog(existing, SECTION, "1.2.0").text
    other = SECTION.replace("ours", "better")
    assert update_changelog(file, other, "1.2.0").text == file.replace(OURS, marked("1.2.0", other))


def test_a_section_that_people_wrote_is_left_and_told() -> None:
    existing = "# Changelog\n\n## [v1.2.0] (today)\n- by hand\n"
    updated = update_changelog(existing, SECTION, "1.2.0")
    assert updated.text == existing
    assert updated.notes == ("There is a section of 1.2.0 already that was written by others, so it is left as it is.",)


def test_our_section_that_people_edited_is_left_and_told() -> None:
    edited = update_changelog("# Changelog\n", SECTION, "1.2.0").text.replace("- ours", "- ours, in better words")
    updated = update_changelog(edited, SECTION, "1.2.0")
    assert updated.text == edited
    assert updated.notes == ("The section of 1.2.0 was edited since it was written, so it is left as it is.",)


def test_other_line_ends_are_no_edit() -> None:
    file = update_changelog("# Changelog\n", SECTION, "1.2.0").text.replace("\n", "\r\n")
    assert update_changelog(file, SECTION, "1.2.0").text == file


@pytest.mark.parametrize("form", Form)
def test_carriage_returns_and_a_byte_order_mark_stay(form: Form) -> None:
    existing = "\ufeff# Changelog\r\n\r\n## Unreleased\r\n\r\n### Added\r\n\r\n- mine\r\n\r\n## 1.1.0\r\n- x\r\n"
    text = update_changelog(existing, SECTION, "1.2.0", form).text
    assert text.startswith("\ufeff# Changelog\r\n")
    assert text.count("\n") == text.count("\r\n")
    assert "- ours\r\n" in text


def test_a_version_cannot_end_a_comment() -> None:
    text = update_changelog("# Changelog\n", "## x\n", "1 --> <b>").text
    assert "<!-- cicd-agents:release 1_--___b_ " in text
    assert update_changelog(text, "## x\n", "1 --> <b>").text == text


LINES = st.one_of(
    st.sampled_from(
        ["# Changelog", "## [Unreleased]", "## Unreleased", "## 1.1.0", "### Added", "### Fixed", "- x", "", "text", "```", "~~~", "<!-- c -->", "<!--", "-->"]
    ),
    st.sampled_from(["[a]: http://a.example", "---", "1.0.0", "===", "  - y", "## [1.0.0] - 2020", "# 3.0.0", "> ## 4.0.0", "    ## 5.0.0", " "]),
)
FILES = st.builds(lambda lines, end, last: end.join(lines) + end * last, st.lists(LINES, max_size=14), st.sampled_from(["\n", "\r\n"]), st.booleans())


@settings(deadline=None, max_examples=400)
@given(FILES, st.sampled_from(Form))
def test_in_any_file_a_second_run_changes_nothing_and_every_line_stays(existing: str, form: Form) -> None:
    once = update_changelog(existing, SECTION, "1.2.0", form)
    assert update_changelog(once.text, SECTION, "1.2.0", form).text == once.text
    kept = iter(once.text.splitlines())
    assert all(line in kept for line in existing.splitlines() if line.strip())  # all of them, in their order
    other = update_changelog(once.text, SECTION.replace("ours", "other"), "1.2.0", form)
    assert update_changelog(other.text, SECTION, "1.2.0", form).text == once.text

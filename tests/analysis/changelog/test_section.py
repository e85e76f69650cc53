"""The section of a release in both forms and with templates; the changelog of a history."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.analysis.changelog.samples import CHANGES, COMMITS, GITHUB, GITLAB, RELEASE, sha

from cicd_agents.analysis.changelog.people import Newcomers
from cicd_agents.analysis.changelog.section import Release, changelog_section, date_of, full_changelog
from cicd_agents.analysis.changelog.style import Form, style, style_for, style_of_rules
from cicd_agents.analysis.changelog.template import TemplateMistake
from cicd_agents.domain.release import Bump, Change, HistoryCommit, Reference, ReleaseRules, TypeRule

CONVENTIONAL, KEEP = style(), style(Form.KEEP_A_CHANGELOG)


def _commit(letter: str) -> str:
    return f"[{letter * 7}](https://github.com/acme/app/commit/{letter * 40})"


def test_the_conventional_form() -> None:
    assert (
        changelog_section(RELEASE, CONVENTIONAL, GITHUB)
        == f"""\
## [2.0.0](https://github.com/acme/app/compare/v1.2.0...v2.0.0) (2023-11-14)

### ⚠ BREAKING CHANGES

- **api:** drop v1 ([#40](https://github.com/acme/app/pull/40), [#7](https://github.com/acme/app/issues/7), {_commit("a")})

  The v1 endpoints are gone.

  Migration: call v2.

  ```sh
  sed -i s/v1/v2/ *.py
  ```

  - one
  - two

### Features

- add `--fast` ([#41](https://github.com/acme/app/pull/41), {_commit("b")})

### Bug Fixes

- **cache:** keep keys of snake\\_case ([acme/lib#3](https://github.com/acme/lib/issues/3), `!5`, {_commit("c")})

### Performance Improvements

- read once ({_commit("d")})

### Reverts

- add colours ({_commit("e")})

### Dependencies

- **deps-dev:** bump left-pad from 1.0.0 to 1.1.0 ({_commit("f")})
- update x ({_commit("1")})

### Documentation

- say how ({_commit("2")})

### Others

- tidy up ({_commit("3")})
- Something else ({_commit("4")})
"""
    )


def test_the_form_keep_a_changelog_on_gitlab() -> None:
    pages = "https://gitlab.com/acme/sub/app/-"
    changes = (CHANGES[0], CHANGES[2], Change(sha("7"), "security", None, "close a hole"), Change(sha("8"), "ci", None, "hidden"))
    section = changelog_section(replace(RELEASE, changes=changes), KEEP, GITLAB)
    assert section.startswith(
        f"## [2.0.0]({pages}/compare/v1.2.0...v2.0.0) - 2023-11-14\n\n### Added\n\n- **Breaking:** **api:** drop v1 ([#40]({pages}/issues/40), "
    )
    assert (
        f"### Fixed\n\n- **cache:** keep keys of snake\\_case ([acme/lib#3](https://gitlab.com/acme/lib/-/issues/3), [!5]({pages}/merge_requests/5), "
        in section
    )
    assert section.endswith(f"### Security\n\n- close a hole ([7777777]({pages}/commit/{sha('7')}))\n")
    assert "hidden" not in section


def test_without_a_forge_nothing_is_linked() -> None:
    section = changelog_section(replace(RELEASE, changes=CHANGES[1:2]), KEEP)
    assert section == "## \\[2.0.0\\] - 2023-11-14\n\n### Added\n\n- add `--fast` (`#41`, `bbbbbbb`)\n"


def test_what_is_not_released_has_no_date() -> None:
    assert changelog_section(Release(None, CHANGES[3:4]), CONVENTIONAL) == "## Unreleased\n\n### Performance Improvements\n\n- read once (`ddddddd`)\n"


def test_changes_in_the_same_words_share_an_entry() -> None:
    twice = (Change(sha("a"), "fix", None, "x", refs=(Reference("request", "#1"),)), Change(sha("b"), "fix", None, "x", refs=(Reference("request", "#2"),)))
    assert "- x (`#1`, `#2`, `aaaaaaa`, `bbbbbbb`)\n" in changelog_section(Release("1.0.0", twice), CONVENTIONAL)


def test_a_breaking_change_of_a_hidden_type_is_shown() -> None:
    changed = (Change(sha("a"), "ci", None, "drop it", True, "drop it"),)
    assert "### Changed\n\n- **Breaking:** drop it (" in changelog_section(Release("1.0.0", changed), KEEP)
    rules = (TypeRule("feat", Bump.MINOR, "News"), TypeRule("ci", Bump.NONE, ""))
    assert "### ⚠ BREAKING CHANGES\n\n- drop it (" in changelog_section(Release("1.0.0", changed), style_of_rules(rules))


def test_the_sections_of_a_projects_rules_replace_ours() -> None:
    rules = (TypeRule("build", Bump.NONE, "Updates", "deps*"), TypeRule("fe*", Bump.MINOR, "News"), TypeRule("fix", Bump.PATCH, ""))
    section = changelog_section(RELEASE, style_of_rules(rules), None)
    assert [line for line in section.splitlines() if line.startswith("###")] == ["### ⚠ BREAKING CHANGES", "### Updates", "### News"]


def test_rules_of_nobody_leave_the_form_as_it_is() -> None:
    types = (TypeRule("feat", Bump.MINOR, "News"),)
    assert style_for(ReleaseRules(types)).titles == style().titles
    assert style_for(ReleaseRules(types, source="cog.toml"), Form.KEEP_A_CHANGELOG).titles == ("News",)
    assert style_of_rules((TypeRule("feat", Bump.MINOR),)).titles == style().titles


def test_own_titles_and_hidden_types() -> None:
    own = style(sections={"feat": "News", "docs": "", "chore(deps)": "Updates", "others": ""})
    changes = (*CHANGES[1:], Change(sha("9"), "chore", "deps", "bump y"))
    titles = [line for line in changelog_section(replace(RELEASE, changes=changes, commits=()), own).splitlines() if line.startswith("###")]
    assert titles == ["### News", "### Bug Fixes", "### Performance Improvements", "### Reverts", "### Dependencies", "### Updates"]


def test_own_templates() -> None:
    texts = {
        "release": "## $version of $date, $$5\n${sections}\n\nThanks:\n${contributors}\nNew:\n${new_contributors}",
        "section": "_${title}_\n${entries}",
        "entry": "* ${type} ${subject} by ${authors} 100%",
    }
    section = changelog_section(replace(RELEASE, changes=CHANGES[2:4]), style(texts=texts), GITHUB, Newcomers(COMMITS))
    assert section == (
        "## 2.0.0 of 2023-11-14, $5\n_Bug Fixes_\n* fix keep keys of snake\\_case by Jane Doe 100%\n\n_Performance Improvements_\n"
        "* perf read once by Jane Doe 100%\n\nThanks:\n- Jane Doe (first contribution)\nNew:\n- Jane Doe (first contribution)\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- ${sub}", "The template of an entry has '${sub}' in line 1; the placeholders are authors, commit, hash"),
        ("a\n$ b", "has '$' in line 2"),
        ("${subject.__class__}", "has '${subject.__class__}' in line 1"),
        ("x" * 20_001, "more than 20,000 characters"),
    ],
)
def test_a_wrong_template_is_told(text: str, said: str) -> None:
    with pytest.raises(TemplateMistake) as raised:
        style(texts={"entry": text})
    assert said in str(raised.value)


def test_an_unknown_template_is_told() -> None:
    with pytest.raises(TemplateMistake, match="There is no template 'footer'"):
        style(texts={"footer": ""})


def test_percent_signs_in_templates_and_texts_are_text() -> None:
    change = Change(sha("a"), "feat", None, "add 5%(x)s")
    assert "100%s %(subject)s add 5%(x)s" in changelog_section(Release("1", (change,)), style(texts={"entry": "100%s %(subject)s ${subject}"}))


def test_a_whole_history_is_the_sections_one_after_another() -> None:
    older = Release("1.0.0", CHANGES[3:4], "v1.0.0", "", 1_600_000_000)
    newer = Release("1.1.0", CHANGES[1:2], "v1.1.0", "v1.0.0", 1_650_000_000)
    text = "".join(full_changelog(iter([newer, older]), CONVENTIONAL, GITHUB))
    assert text == f"# Changelog\n\n{changelog_section(newer, CONVENTIONAL, GITHUB)}\n{changelog_section(older, CONVENTIONAL, GITHUB)}"
    assert "## [1.0.0](https://github.com/acme/app/commits/v1.0.0) (2020-09-13)" in text


def test_a_whole_history_is_made_release_by_release() -> None:
    asked: list[str] = []

    def releases() -> object:
        for version in ("2.0.0", "1.0.0"):
            asked.append(version)
            yield Release(version, CHANGES)

    parts = full_changelog(releases(), CONVENTIONAL)  # type: ignore[arg-type]
    next(parts)
    next(parts)
    assert asked == ["2.0.0"]


@pytest.mark.parametrize(("time", "date"), [(0, ""), (-1, ""), (86_400, "1970-01-02"), (10**15, ""), (10**40, "")])
def test_dates(time: int, date: str) -> None:
    assert date_of(time) == date


def test_any_commit_id_is_shown_safely() -> None:
    odd = (Change("<b>@x](y)", "feat", None, "x"), Change("", "fix", None, ""))
    section = changelog_section(Release("1.0.0", odd, commits=(HistoryCommit("", (), "", "", 0, ""),)), CONVENTIONAL, GITHUB)
    assert "- x (`<b>@x](y`))" in section
    assert "- (no subject) ()" in section

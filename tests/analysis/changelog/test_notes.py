"""Release notes, highlights and the announcement."""

from __future__ import annotations

from dataclasses import replace

from tests.analysis.changelog import reading
from tests.analysis.changelog.samples import CHANGES, COMMITS, GITHUB, GITLAB, RELEASE, sha

from cicd_agents.analysis.changelog.highlights import Announcement, announcement, highlights, parted_note
from cicd_agents.analysis.changelog.notes import release_notes
from cicd_agents.analysis.changelog.people import Newcomers
from cicd_agents.analysis.changelog.section import Release
from cicd_agents.analysis.changelog.style import Form, style
from cicd_agents.domain.release import Change, HistoryCommit

SMALL = Release("1.2.1", CHANGES[2:3], "v1.2.1", "v1.2.0", 1_700_000_000)


def test_notes_of_a_breaking_release() -> None:
    commits = (replace(COMMITS[0], files=("db/migrate/001_users.rb", "src/app/migrations/0002_x.py", "src/migrations/__init__.py", "README.md")), *COMMITS[1:4])
    notes = release_notes(replace(RELEASE, changes=CHANGES[:4], commits=commits), style(), GITHUB, Newcomers(commits), name="app")
    assert notes.title == "app 2.0.0"
    page = "https://github.com/acme/app"
    assert (
        notes.body
        == f"""\
## Highlights

- **Breaking:** api: drop v1
- add `--fast`
- read once

## Breaking changes

- **api:** drop v1 ([#40]({page}/pull/40), [#7]({page}/issues/7), [aaaaaaa]({page}/commit/{sha("a")}))

  The v1 endpoints are gone.

## Migration required

Yes.

- **api:** drop v1

  Migration: call v2.

  ```sh
  sed -i s/v1/v2/ *.py
  ```

  - one
  - two
- Scripts that change the database are new or were changed: `db/migrate/001_users.rb`, `src/app/migrations/0002_x.py`

## Upgrade path

1. Be on `v1.2.0`; from an older release, follow the notes of those between first.
2. Do the steps of the migration.
3. Update to `v2.0.0`.

## Changes

### Features

- add `--fast` ([#41]({page}/pull/41), [bbbbbbb]({page}/commit/{sha("b")}))

### Bug Fixes

- **cache:** keep keys of snake\\_case ([acme/lib#3](https://github.com/acme/lib/issues/3), `!5`, [ccccccc]({page}/commit/{sha("c")}))

### Performance Improvements

- read once ([ddddddd]({page}/commit/{sha("d")}))

## Contributors

- Jane Doe (first contribution)

## Rollback plan

1. Deploy or install `v1.2.0` again.
2. Take back the steps of the migration, in reverse order; data written since then may need care.
3. Mark `v2.0.0` as a prerelease and `v1.2.0` as the latest release; delete nothing.
4. Release the fix as a new version.

[All changes]({page}/compare/v1.2.0...v2.0.0) since `v1.2.0`
"""
    )


def test_notes_of_a_fix() -> None:
    notes = release_notes(SMALL, style(Form.KEEP_A_CHANGELOG))
    assert notes.title == "1.2.1"
    assert "## Breaking changes" not in notes.body
    assert "## Migration required\n\nNo. Nothing in this release is marked as breaking.\n" in notes.body
    assert "## Upgrade path\n\nUpdate from `v1.2.0` to `v1.2.1`; nothing else is needed.\n" in notes.body
    assert "All changes" not in notes.body


def test_notes_of_the_first_release() -> None:
    body = release_notes(replace(SMALL, previous_tag=""), style(), GITLAB).body
    assert "This is the first release; there is nothing to update from. Install `v1.2.1`." in body
    assert "There is no older release to go back to" in body
    assert body.endswith("[All changes](https://gitlab.com/acme/sub/app/-/commits/v1.2.1)\n")


def test_breaking_changes_stand_in_the_notes_once_whatever_the_form() -> None:
    breaking = Change(sha("a"), "feat", None, "drop it", True, "drop it")
    body = release_notes(replace(SMALL, changes=(breaking, *SMALL.changes)), style(Form.KEEP_A_CHANGELOG)).body
    assert body.count("**Breaking:** drop it (") == 1
    assert "The commit does not say how; see the breaking change above." in body


def test_notes_are_cut_between_entries() -> None:
    many = tuple(Change(f"{number:040x}", "feat", None, f"add number {number}", number % 3 == 0, "word " * 200) for number in range(1000))
    notes = release_notes(Release("2.0.0", many, "v2", "v1"), style(), GITHUB, most=20_000)
    assert 10_000 < len(notes.body) <= 20_000
    assert "more breaking changes\n" in notes.body
    assert "more\n\n## Rollback plan" in notes.body
    assert notes.body.endswith("since `v1`\n")
    assert reading.live_texts(notes.body) == []


def test_words_of_a_model_take_the_place_of_a_highlight_and_are_escaped_like_all_others() -> None:
    words = {sha("b"): "Faster\n\n# <b>@all</b> ![x](https://evil.example)", sha("9"): "Not a change of this release"}
    body = release_notes(replace(RELEASE, changes=CHANGES[1:4]), style(), GITHUB, reworded=words).body
    assert "## Highlights\n\n- Faster # " in body
    assert "Not a change" not in body
    assert reading.live_texts(body) == []
    assert "image" not in {token.type for token in reading.inlines(body)}
    assert "- add `--fast` ([#41]" in body


def test_highlights_are_the_most_important_changes() -> None:
    assert [item.text for item in highlights(CHANGES)] == ["api: drop v1", "add `--fast`", "read once"]
    assert [item.text for item in highlights(CHANGES[2:3])] == ["cache: keep keys of snake_case"]
    assert highlights(CHANGES[6:]) == ()


def test_an_announcement_is_plain_text() -> None:
    assert announcement("app\n2.0.0", CHANGES[:4], "https://x.example") == Announcement(
        "app 2.0.0", ("Breaking: api: drop v1", "add `--fast`", "read once", "and 1 more change"), "https://x.example"
    )
    assert announcement("app", CHANGES[6:8]).lines == ("2 changes",)


def test_how_to_migrate_is_told_apart() -> None:
    change = Change(sha("a"), "feat", None, "x", True, "Gone.\nTo migrate, call v2.\nThen stop.", footers=(("Upgrade-Guide", "See docs."), ("Refs", "#1")))
    assert parted_note(change) == ("Gone.", "To migrate, call v2.\nThen stop.\n\nSee docs.")
    assert parted_note(replace(change, note="x", footers=())) == ("x", "")


def test_no_contributor_is_shown_without_commits() -> None:
    assert "## Contributors" not in release_notes(SMALL, style()).body
    assert "## Contributors\n\n- Jane\n" in release_notes(replace(SMALL, commits=(HistoryCommit("1", (), "Jane", "j@x", 0, "m"),)), style()).body

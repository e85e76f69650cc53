"""The report as a comment: golden texts, and a CommonMark parser that finds nothing live of a log in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from tests.report.samples import ANNOTATED, DOCS, FULL, HOST, JOB, NOTHING, RUN, of_text

from cicd_agents.domain.doctor import DoctorDetails, Excerpt, Flaky, RootCause, ScoredLine
from cicd_agents.domain.finding import Fix, Location
from cicd_agents.domain.verdict import Outcome
from cicd_agents.publish.marker import marked, scope_key
from cicd_agents.report.document import Report, place
from cicd_agents.report.escape import prose
from cicd_agents.report.markdown import GITHUB_COMMENT_BYTES, to_markdown, to_resolved

LINKS = (DOCS, RUN, JOB, *(f"https://{HOST}/{path}" for path in ("run/0", "run/9", "commit/c", "job/3")))
COMMONMARK = MarkdownIt("commonmark", {"html": True})
HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07 ::set-output name=a::b\n::set-output name=c::d ##[error]boom ```` ``` `x`\n```\n</details> </sub> <!-- marker --> "
    "@team `@team` #123 closes #1 <img src=x> ![beacon](https://evil.example/x.png) [click](https://evil.example) <https://evil.example> "
    "https://evil.example\n\n# heading\n\n- item\n\n    code\n\n[a]: https://evil.example\n/approve\n| a |\n|---|\n&lt;b&gt; \u202egpj\u2066\u200b \\"
)
ERRORS = ("\n```\n</details>", "````\n`````\n", "~~~\n", "</details>\n<img src=x>")


def report(details: DoctorDetails, outcome: Outcome, title: str, summary: str = "", notes: tuple[str, ...] = ()) -> Report:
    return Report("cicd-agents/report/v1", "pipeline-doctor", outcome, 0, title, summary, (), (), details, notes, 0.1)


FOUND = report(
    DoctorDetails(
        "github", "ci.log", 40, 400, "build", "dependency_resolution", "yarn.frozen_lockfile", 0.87,
        RootCause(12, "  error Your lockfile needs to be updated.", "Run yarn", Location("src/app.py", 7, 3)),
        (ScoredLine(12, 0.9, "yarn.frozen_lockfile"),),
        (
            Fix("quick", "Update `yarn.lock`", "It is older than package.json.", ("yarn install", "git add yarn.lock"), 0.7),
            Fix("lasting", "Use a hook", "", (), 0.6),
            Fix("prevention", "Let a bot do it", "", (), 0.5),
        ),
        Excerpt(11, ("yarn install v1", "  error Your lockfile", "exit 1")),
        (RootCause(30, " another", None, None),), docs=DOCS,
    ),
    Outcome.FAIL, "yarn: lockfile is old", "package.json asks for more.", ("2 secrets redacted.",),
)  # fmt: skip


def test_a_found_failure_has_all_its_parts_in_order() -> None:
    assert (
        to_markdown(FOUND)
        == """\
## 🩺 pipeline-doctor: Root cause found

**yarn: lockfile is old** — package.json asks for more.

### Error

- Line 12: `error Your lockfile needs to be updated.`
- Place: `src/app.py:7:3`
- Step: `Run yarn`
- Category: dependency_resolution, phase: build

### Root cause

package.json asks for more. (confidence 87%)

1. Log line 12 matches rule `yarn.frozen_lockfile` ([documentation](https://docs.example/rule#anchor))
2. The log points to `src/app.py:7:3`

### Fixes (not tried)

- **Quick fix:** Update `yarn.lock` — It is older than package.json.

  ```sh
  yarn install
  git add yarn.lock
  ```

- **Lasting fix:** Use a hook
- **Prevention:** Let a bot do it

### Further failures

- line 30: `another`

<details><summary>Log excerpt around line 12</summary>

```text
      11 | yarn install v1
>     12 |   error Your lockfile
      13 | exit 1
```

</details>

> 2 secrets redacted.

<sub>Log `ci.log`, 40 lines, github. Diagnosed by rules, without a model.</sub>
"""
    )


def test_all_that_is_known_follows_in_order() -> None:
    made = to_markdown(FULL, (HOST,))
    assert live(made, LINKS) == []
    assert made.partition("### Root cause")[0].endswith(
        """\
### Error

- Line 12: `error Your lockfile needs to be updated.`
- Place: `src/app.py:7:3`
- Job: [`build`](https://git.example/job/2), [see the run](https://git.example/run/1)
- Step: `Run yarn`
- Category: dependency_resolution, phase: build

"""
    )
    assert (
        made.partition("2. The log points to `src/app.py:7:3`\n")[2]
        == """\
3. [Annotation](https://git.example/job/2): `exit code 1`

### Fixes (not tried)

- **Quick fix:** Update `yarn.lock` — It is older than package.json.

  ```sh
  yarn install
  git add yarn.lock
  ```

### Changed since the last good run

`aaaaaaaaaaaa` ([last good run](https://git.example/run/0)) → `bbbbbbbbbbbb`: 3 commits. The platform cut the list, so there may be more.

Suspects, best first:

1. [`cccccccccccc`](https://git.example/commit/c) Bump lodash by Ann: it changes `yarn.lock`; it is the newest
2. `dddddddddddd` Tidy

Dependencies:

- `lodash 4.17.20 → 4.17.21` in `yarn.lock`
- `left-pad 1.3.0 (added)` in `yarn.lock`
- `x/y v1 (removed)` in `go.sum`

CI configuration: `.github/workflows/ci.yml`

To find the commit:

```sh
git bisect start bbbb aaaa
git bisect run make test
```

<details><summary>Changed files (2 named)</summary>

- `src/app.py`
- `yarn.lock`

</details>

### Flaky or real

**This failure is flaky.** It passed and failed on the same commit. Passed in 7 of 10 runs (70%, 95 % interval 40% to 89%).

- Run `41`: attempt 1 failed, attempt 2 passed

### Seen before

The same failure was seen 4 times: first `2026-01-02T03:04:05Z`, last `2026-03-04T05:06:07Z`, on `main`, `dev`. Fingerprint `abcdef0123456789`. \
[Newest run](https://git.example/run/9).

### Other failed jobs

- [`lint`](https://git.example/job/3): ruff: E501, line 5: `line too long` (lint_format, confidence 80%)
- `test (3.12)`: the same failure

### Operations

- **RerunJobs** `run 1`: done. The network was down. Started 1 job. To undo: cancel the run.
- **CreateIssue** `repo`: refused. The budget is spent.

### Further failures

- line 30: `another`

<details><summary>Log excerpt around line 12</summary>

```text
      11 | yarn install v1
>     12 |   error Your lockfile
      13 | exit 1
```

</details>

> 2 secrets redacted.

<sub>Log `build`, 40 lines, github. Diagnosed by rules, without a model.</sub>
"""
    )


def test_what_only_the_platform_knows_has_a_message_and_a_proof_but_no_line() -> None:
    made = to_markdown(ANNOTATED, (HOST,))
    assert "- Message: `The hosted runner lost communication`\n- Job: [`build`](https://git.example/job/2)\n" in made
    assert "1. Rule `github.lost_runner`\n2. [Annotation](https://git.example/job/2): `The hosted runner lost communication`\n" in made
    assert "Log excerpt" not in made
    assert made.endswith("<sub>Log `build`, raw. Diagnosed by rules, without a model.</sub>\n")


def test_addresses_elsewhere_are_code() -> None:
    made = to_markdown(FULL, ("other.example",))
    assert live(made, (DOCS,)) == []
    assert f"- Job: `build` (`{JOB}`), see the run (`{RUN}`)\n" in made


@pytest.mark.parametrize(("verdict", "claim"), [("no", "This failure is real."), ("unknown", "It is not known whether this failure is flaky.")])
def test_a_flaky_verdict_without_runs_is_a_claim_and_its_reason(verdict: str, claim: str) -> None:
    details = replace(NOTHING, flaky=Flaky(verdict, reason="The base branch fails so too."))
    assert f"### Flaky or real\n\n**{claim}** The base branch fails so too.\n" in to_markdown(replace(FULL, details=details, operations=()))


def test_an_operation_that_cannot_be_undone_says_nothing_of_it() -> None:
    operation = replace(FULL.operations[0], reverse="", result="")
    assert "- **RerunJobs** `run 1`: done. The network was down.\n" in to_markdown(replace(FULL, operations=(operation,)))


def test_what_nobody_looked_for_has_no_section() -> None:
    made = to_markdown(FOUND)
    for heading in ("Changed since", "Flaky", "Seen before", "Other failed jobs", "Operations"):
        assert f"### {heading}" not in made


def test_long_lists_are_counted() -> None:
    changes = FULL.details.changes
    assert changes
    details = replace(
        FULL.details, other_jobs=FULL.details.other_jobs * 15, further_failures=FULL.details.further_failures * 12,
        changes=replace(changes, packages=changes.packages * 6, files=tuple(f"f{n}" for n in range(60)), ci_files=tuple(f"c{n}" for n in range(10))),
    )  # fmt: skip
    made = to_markdown(replace(FULL, details=details))
    assert [line for line in made.splitlines() if line.startswith("- …")] == ["- … and 3 more", "- … and 10 more", "- … and 10 more", "- … and 2 more"]
    assert "`c7` and 2 more\n" in made


@pytest.mark.parametrize(
    ("run", "sha", "hosts", "text"),
    [
        ("", "", (), "The run is green again. The failure that stood here is gone."),
        (RUN, "b" * 40, (HOST,), f"The run is green again at `bbbbbbbbbbbb`. The failure that stood here is gone. [See the run]({RUN})."),
        (RUN, "", (), f"The run is green again. The failure that stood here is gone. See the run (`{RUN}`)."),
    ],
)
def test_a_resolved_comment_is_short(run: str, sha: str, hosts: tuple[str, ...], text: str) -> None:
    assert to_resolved("pipeline-doctor", run, sha, hosts) == f"## 🩺 pipeline-doctor: Resolved\n\n{text}\n"


def test_an_inconclusive_lead_is_shown_with_the_best_three_candidates() -> None:
    candidates = (ScoredLine(5, 0.25, "generic.last-words"), ScoredLine(9, 0.2, None), ScoredLine(1, 0.1, None), ScoredLine(2, 0.05, None))
    details = replace(NOTHING, category="other", phase="build", root_cause=RootCause(5, "zork", None, None), confidence=0.25, candidates=candidates)
    assert (
        to_markdown(report(details, Outcome.INCONCLUSIVE, "Not sure: it stopped here"))
        == """\
## 🩺 pipeline-doctor: Not sure

**Not sure: it stopped here**

### Error

- Line 5: `zork`
- Category: other, phase: build

### Root cause

Not sure: it stopped here (confidence 25%)

1. Log line 5 matches rule `none`

### Best candidates

- line 5, score 0.25, rule `generic.last-words`
- line 9, score 0.20, rule `none`
- line 1, score 0.10, rule `none`

<sub>Log `ci.log`, 1,234,567 lines, raw. Diagnosed by rules, without a model.</sub>
"""
    )


def test_a_verdict_without_a_cause_shows_its_candidates() -> None:
    details = replace(NOTHING, candidates=(ScoredLine(3, 0.2, "a.b"),))
    made = to_markdown(report(details, Outcome.INCONCLUSIVE, "No cause found", "No line is good enough."))
    assert "### Error" not in made
    assert "- line 3, score 0.20, rule `a.b`" in made


def test_a_skipped_run_is_three_lines() -> None:
    assert (
        to_markdown(report(NOTHING, Outcome.SKIPPED, "Nothing to diagnose", "The log says that the run succeeded."))
        == """\
## 🩺 pipeline-doctor: Nothing to diagnose

**Nothing to diagnose** — The log says that the run succeeded.

<sub>Log `ci.log`, 1,234,567 lines, raw. Diagnosed by rules, without a model.</sub>
"""
    )


def test_a_cause_with_an_empty_excerpt_says_so_by_an_empty_block() -> None:
    details = replace(FOUND.details, excerpt=None)
    assert "<details>" not in to_markdown(replace(FOUND, details=details))


@pytest.mark.parametrize(
    ("location", "shown"),
    [(Location("a.py"), "a.py"), (Location("a.py", 3), "a.py:3"), (Location("a.py", 3, 4), "a.py:3:4")],
)
def test_a_place_is_shown_as_far_as_it_is_known(location: Location, shown: str) -> None:
    assert place(location) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run `make all` now", "run `make all` now"),
        ("`make`", "`make`"),
        ("`a` `b`", "`a` `b`"),
        ("see @team and #12", "see `@team` and `#12`"),
        ("open ` only", "open &#96; only"),
        ("two ``x`` ticks", "two &#96;`x`&#96; ticks"),
        ("<b> *x* `<b> *x*`", "&lt;b&gt; \\*x\\* `<b> *x*`"),
        ("a\nb", "a b"),
        ("", ""),
    ],
)
def test_prose_keeps_code_as_code_and_escapes_the_rest(text: str, shown: str) -> None:
    assert prose(text) == shown


def tokens_of(markdown: str) -> Iterator[Token]:
    """All tokens of CommonMark with HTML on, flat."""
    for block in COMMONMARK.parse(markdown):
        yield block
        yield from block.children or ()


OURS = re.compile(r"<details><summary>(?:Log excerpt around line \d+|Changed files \(\d+ named\))</summary>\n?|</details>\n?|<sub>|</sub>")
LIVE = re.compile(r"@\w|[#!]\d|://|\bwww\.|\bgh-\d|^/\w", re.IGNORECASE | re.MULTILINE)


def live(markdown: str, docs: tuple[str, ...] = ()) -> list[str]:
    """Everything that a platform would bring to life and that is not ours: HTML, links, images, mentions, references, commands."""
    found = []
    for token in tokens_of(markdown):
        if token.type in ("html_block", "html_inline") and not OURS.fullmatch(token.content):
            found.append(f"html {token.content!r}")
        if token.type == "link_open" and token.attrs["href"] not in docs:
            found.append(f"link {token.attrs['href']}")
        if token.type in ("image", "code_block"):
            found.append(token.type)
        if token.type == "text" and LIVE.search(token.content):
            found.append(f"text {token.content!r}")
        if re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", token.content):
            found.append(f"unseen {token.content!r}")
    return found


def outline(markdown: str) -> list[str]:
    return [block.type for block in COMMONMARK.parse(markdown) if block.nesting]


@pytest.mark.parametrize("text", [HOSTILE, *ERRORS], ids=["all", "break out", "fences", "tildes", "close"])
def test_hostile_text_brings_nothing_to_life(text: str) -> None:
    assert live(to_markdown(of_text(text, DOCS)), (DOCS,)) == []


@pytest.mark.parametrize(
    "text",
    ["x <img src=x>", "</details><b>", "<!-- x -->", "[a](b)", "![a](b)", "<https://x.example>", "@team", "fixes #1", "https://x", "    x", "a\x1b[31mb"],
)
def test_the_checker_sees_what_is_live(text: str) -> None:
    assert live(text) != []


def test_hostile_text_does_not_change_the_outline_of_the_comment() -> None:
    assert outline(to_markdown(of_text(HOSTILE))) == outline(to_markdown(of_text("x")))


def test_neither_excerpt_nor_file_names_can_close_their_details() -> None:
    blocks = COMMONMARK.parse(to_markdown(of_text(HOSTILE)))
    html = [(index, block.content.strip()) for index, block in enumerate(blocks) if block.type == "html_block"]
    assert [text for _, text in html] == [
        "<details><summary>Changed files (1 named)</summary>", "</details>", "<details><summary>Log excerpt around line 2</summary>", "</details>",
    ]  # fmt: skip
    (first, _), (second, _), (third, _), (fourth, _) = html
    assert {block.type for block in blocks[first + 1 : second] if block.nesting >= 0} == {"bullet_list_open", "list_item_open", "paragraph_open", "inline"}
    assert [block.type for block in blocks[third + 1 : fourth]] == ["fence"]


PIECES = st.one_of(
    st.sampled_from("`*_~[]()<>!#@&|\\/:.-+=$%^{}\"'\n\r\t \u2028\x0b\u200b\u202e\x1b\x00\ud800"),
    st.sampled_from(["```", "~~~", "<!--", "-->", "</details>", "</sub>", "<img src=x>", "![a](b)", "[a](b)", "[a]: b", "<https://x.example>"]),
    st.sampled_from(["@octocat", "@org/team", "#12", "owner/repo#3", "GH-4", "https://x.example", "www.x.example", "/approve", "&#64;", "`@x`", "`a`"]),
    st.sampled_from(["1. ", "    ", "- ", "> ", "|---|", "***", "a", "b c"]),
)


@pytest.mark.parametrize("text", ["`@x``@y", "`a``@team", "@a``b` @team"])
def test_code_spans_that_touch_stay_apart(text: str) -> None:
    assert [token.content for token in tokens_of("x " + prose(text)) if token.type == "text" and LIVE.search(token.content)] == []


@settings(deadline=None, max_examples=120)
@given(st.lists(PIECES, max_size=14).map("".join))
@example("@a`b`")
@example("`a`@b`c`")
def test_no_mixture_of_pieces_brings_anything_to_life(text: str) -> None:
    assert live(to_markdown(of_text(text))) == []


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECES, max_size=14).map("".join))
@example("`@x` and `@y`")
def test_prose_of_any_pieces_is_text_and_code_only(text: str) -> None:
    tokens = [token for token in tokens_of("x " + prose(text)) if token.type not in ("paragraph_open", "paragraph_close", "inline")]
    assert {token.type for token in tokens} <= {"text", "text_special", "code_inline", "softbreak"}
    assert [token.content for token in tokens if token.type == "text" and LIVE.search(token.content)] == []


@pytest.mark.parametrize(
    "docs",
    ["http://docs.example", "javascript:alert(1)", "https://x y", "https://x(y)", "https://x<y>", "https://x\n@team", 'https://x"y"', "https://x'", "", None],
)
def test_only_a_plain_https_address_becomes_the_docs_link(docs: str | None) -> None:
    made = to_markdown(of_text("x", docs))
    assert "[documentation]" not in made
    assert live(made) == []


@pytest.mark.parametrize("docs", ["https://x\t@team", "https://x\\", "https://x\x1b[31m", "https://x/\u202egpj"])
def test_an_address_with_unseen_or_active_characters_is_no_link(docs: str) -> None:
    assert live(to_markdown(of_text("x", docs)), (docs,)) == []


def test_a_text_of_100_kb_fits_a_comment_and_keeps_its_end() -> None:
    made = to_markdown(of_text("z" * 100_000))
    assert len(made.encode()) <= GITHUB_COMMENT_BYTES
    assert made.endswith("Diagnosed by rules, without a model.</sub>\n")


def heading_lines(markdown: str) -> list[str]:
    return [line for line in markdown.splitlines() if line.startswith(("#", "<details>", "<sub>", "> Left out"))]


def test_a_report_that_is_too_long_loses_whole_sections_the_least_important_first() -> None:
    whole = heading_lines(to_markdown(FULL, (HOST,)))
    size = len(to_markdown(FULL, (HOST,)).encode())
    for most in (size - 1, size - 800, size - 1200, 1500):
        made = to_markdown(FULL, (HOST,), most)
        assert len(made.encode()) <= most
        kept = [line for line in heading_lines(made) if not line.startswith("> Left out")]
        assert kept == [line for line in whole if line in kept]
        assert kept[:2] == ["## 🩺 pipeline-doctor: Root cause found", "### Error"]
        assert "log excerpt" in made.partition("> Left out because the text would be too long here: ")[2]
        assert live(made, LINKS) == []
    assert "> Left out" not in to_markdown(FULL, (HOST,), size)


def test_many_notes_are_counted_rather_than_shown() -> None:
    made = to_markdown(replace(FOUND, notes=tuple(f"note {number}" for number in range(500))))
    assert "> note 19\n\n> … and 480 more notes\n" in made
    assert "note 20" not in made


@pytest.mark.parametrize("text", ["z", "é", "🩺", "&", "`", "@a ", "a\n"])
def test_texts_of_any_width_fit_a_comment_with_its_marker(text: str) -> None:
    many = of_text(text * 2000)
    changes = many.details.changes
    assert changes
    more = replace(changes, files=changes.files * 1000, packages=changes.packages * 1000, suspects=changes.suspects * 100, ci_files=changes.ci_files * 100)
    details = replace(
        many.details, fixes=many.details.fixes * 100, further_failures=many.details.further_failures * 100, other_jobs=many.details.other_jobs * 100,
        changes=more,
    )  # fmt: skip
    made = to_markdown(replace(many, details=details, notes=many.notes * 500, operations=many.operations * 50, findings=many.findings * 50))
    assert len(marked("pipeline-doctor", scope_key("x"), made).encode()) < 65_536
    assert len(made.encode()) <= GITHUB_COMMENT_BYTES
    assert made.startswith("## 🩺 pipeline-doctor: Not sure\n")


def test_an_agent_without_an_emblem_has_a_heading_too() -> None:
    assert COMMONMARK.parse(to_markdown(replace(FOUND, agent="another-agent")))[1].content == "another-agent: Root cause found"

"""Sections that fit a limit, the summary made of them, links to known hosts only, and paths of the repository."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.report.samples import FULL, HOST, SKIPPED, of_text

from cicd_agents.report.links import Links, https_host
from cicd_agents.report.markdown import to_markdown
from cicd_agents.report.paths import in_repository
from cicd_agents.report.sections import Section, fitted, listed
from cicd_agents.report.summary import SUMMARY_BYTES, SUMMARY_LIMIT, to_summary

NOTE = "> Left out because the text would be too long here: "
PART = st.tuples(st.sampled_from(["log excerpt", "notes", "fixes"]), st.text("aé🩺", min_size=1, max_size=300), st.integers(0, 3))


def test_what_fits_is_kept_whole_to_the_last_byte() -> None:
    sections = [Section("a", "é" * 10), Section("b", "x" * 10, 5)]
    assert fitted(sections, 33) == "é" * 10 + "\n\n" + "x" * 10 + "\n"
    assert fitted(sections, 32) == "é" * 10 + f"\n\n{NOTE}b. The report files hold everything.\n"


def test_the_highest_rank_goes_first_and_of_equal_ranks_the_later() -> None:
    sections = [Section("title", "t"), *(Section(f"{rank}{index}", "x" * 1000, rank) for index, rank in enumerate((1, 2, 2, 0)))]
    kept = {most: fitted(sections, most).partition(NOTE)[2].partition(".")[0] for most in (4008, 3700, 2700, 1700, 700)}
    assert kept == {4008: "22", 3700: "22", 2700: "21, 22", 1700: "10, 21, 22", 700: "10, 21, 22, 03"}


def test_what_is_left_out_often_is_counted() -> None:
    made = fitted([Section("title", "t"), *(Section("notes", "x" * 1000, 1) for _ in range(5))], 700)
    assert made == f"t\n\n{NOTE}notes (5 times). The report files hold everything.\n"


@settings(deadline=None)
@given(st.lists(PART, min_size=1, max_size=12), st.integers(1000, 4000))
def test_the_limit_holds_and_only_whole_sections_are_shown_in_order(parts: list[tuple[str, str, int]], most: int) -> None:
    sections = [Section(*part) for part in parts]
    made = fitted(sections, most)
    assert len(made.encode()) <= max(most, len(sections[0].text.encode()) + 600)
    shown = made.partition(NOTE)[0].rstrip("\n").split("\n\n")
    assert shown[0] == sections[0].text
    left = iter(section.text for section in sections)
    assert all(text in left for text in shown)


def test_a_list_counts_what_it_does_not_show_and_renders_no_more_than_it_shows() -> None:
    rendered: list[int] = []

    def line(number: int) -> str:
        rendered.append(number)
        return f"n{number}"

    assert listed(range(5), 2, line) == "- n0\n- n1\n- … and 3 more"
    assert rendered == [0, 1]
    assert listed([7], 1, str) == "- 7"
    assert listed([], 1, str) == ""


def test_a_summary_holds_every_report_whole_where_there_is_room() -> None:
    made = to_summary([FULL, SKIPPED], (HOST,))
    assert made == to_markdown(FULL, (HOST,), SUMMARY_BYTES) + "\n" + to_markdown(SKIPPED)
    assert to_summary([]) == "\n"


def test_a_summary_of_many_reports_stays_below_the_limit_and_keeps_what_broke() -> None:
    reports = [of_text("🩺&`\n" * 200)] * 10
    made = to_summary(reports, (), 120_000)
    assert 90_000 < len(made.encode()) <= 120_000
    assert made.count("### Error") == 10
    assert "log excerpt (10 times)" in made.partition(NOTE)[2]
    assert SUMMARY_BYTES < SUMMARY_LIMIT


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://git.example", "git.example"),
        ("https://GIT.example/a/b?c=d&e=%20#f", "git.example"),
        ("https://git.example:8443/x", "git.example:8443"),
        ("http://git.example/", None),
        ("https://user@git.example/", None),
        ("https://git.example@evil.example/", None),
        ("https://git.example:x@evil.example/", None),
        ("https://git.example\\@evil.example/", None),
        ("https://git.example/a)b", None),
        ("https://git.example/a b", None),
        ("https://git.example/\n", None),
        ("https://gít.example/", None),
        ("https://git.example/" + "a" * 2000, None),
        ("javascript:alert(1)", None),
        ("//git.example/", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_plain_https_address_has_a_host(url: str | None, host: str | None) -> None:
    assert https_host(url) == host


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://git.example/x", "[label](https://git.example/x)"),
        ("https://GIT.EXAMPLE/x", "[label](https://GIT.EXAMPLE/x)"),
        ("https://sub.git.example/x", "label (`https://sub.git.example/x`)"),
        ("https://git.example:444/x", "label (`https://git.example:444/x`)"),
        ("http://git.example/x", "label (`http://git.example/x`)"),
        ("`](https://evil.example) <img>", "label (``` `](https://evil.example) <img> ```)".replace("```", "``")),
        ("", "label"),
        (None, "label"),
    ],
)
def test_a_link_goes_to_the_hosts_that_were_named(url: str | None, shown: str) -> None:
    assert Links(("Git.Example",)).link("label", url) == shown
    assert "](" not in Links().link("label", "https://git.example/x")


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("src/app.py", "src/app.py"),
        ("./src/app.py", "src/app.py"),
        ("src\\app.cs", "src/app.cs"),
        ("/home/runner/work/name/name/src/app.py", "src/app.py"),
        ("/Users/runner/work/name/name/App.swift", "App.swift"),
        ("/__w/name/name/src/app.py", "src/app.py"),
        ("D:\\a\\name\\name\\src\\app.cs", "src/app.cs"),
        ("/github/workspace/src/app.py", "src/app.py"),
        ("/builds/group/sub/name/src/app.py", "src/app.py"),
        ("/var/jenkins_home/workspace/job/src/app.py", "src/app.py"),
        ("file:///builds/group/sub/name/a.js", "a.js"),
        ("/usr/lib/python3/json.py", None),
        ("/builds/other/name/src/app.py", None),
        ("../other/a.py", None),
        ("src/../../a.py", None),
        ("C:/Windows/x", None),
        ("https://x.example/a.js", None),
        ("~/a.py", None),
        ("webpack://app/a.js", None),
        ("/home/runner/work/name/name/../../x", None),
        ("/home/runner/work/name/name/", None),
        ("", None),
        (" ", None),
    ],
)
def test_a_path_is_told_as_the_repository_has_it_or_not_at_all(path: str, inside: str | None) -> None:
    assert in_repository(path, "group/sub/name") == inside

"""The place in the project's own code that a traceback, a stack or a message points to."""

from __future__ import annotations

import textwrap

import pytest

from cicd_agents.analysis.logs.frames import best_location, location_around, location_in
from cicd_agents.domain.finding import Location


def lines(text: str) -> list[bytes]:
    return (textwrap.dedent(text).strip("\n") if "\n" in text else text).encode().split(b"\n")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("src/main.c:12:5: error: expected ';'", Location("src/main.c", 12, 5)),
        ("src/main.c:12: error: expected ';'", Location("src/main.c", 12)),
        ("main.c:12:5: error", Location("main.c", 12, 5)),
        ("./pkg/a.go:3:1: undefined: x", Location("./pkg/a.go", 3, 1)),
        ("/home/me/app/lib/a.rb:7: syntax error", Location("/home/me/app/lib/a.rb", 7)),
        ("error: src/app.ts(10,4): TS2304", Location("src/app.ts", 10, 4)),
        ("ERROR: [src/app.ts:10:4]", Location("src/app.ts", 10, 4)),
        (r"C:\work\app\Program.cs(12,9): error CS1002", Location(r"C:\work\app\Program.cs", 12, 9)),
        ("see 'src/a.py:3'", Location("src/a.py", 3)),
        ('in "src/a.py":3', None),
        ("file://src/a.js:3:4", Location("src/a.js", 3, 4)),
        ("PHP Parse error: src/a.php: line 3", Location("src/a.php", 3)),
        ("Syntax error: src/a.php line 3", Location("src/a.php", 3)),
        ("connect to db.example:5432", None),
        ("https://x.example:443/a", None),
        ("no place here", None),
        ("Makefile:12: *** missing separator.  Stop.", Location("Makefile", 12)),
        ("adapting config: Caddyfile:3: unrecognized directive", Location("Caddyfile", 3)),
        ("src/app.ts[10, 4]: bad", Location("src/app.ts", 10, 4)),
        ("`project.authors[0]` must be object", None),
        ("a.py:0: no line", None),
        ("pull registry.corp.example:8089/shop/base:1.8", None),
        ("ssh: connect to git@github.com:22", None),
        ("certificate verify failed: self-signed certificate (_ssl.c:992)", None),
        ("ERROR: Job failed (system failure): no daemon (docker.go:960:0s)", None),
        ("rsync error: error in rsync protocol data stream (code 12) at io.c(285) [sender=3.5.0]", None),
        ("a.py without a number", None),
        ("/usr/lib/python3/dist-packages/x.py:3", None),
        ("node_modules/x/index.js:3:4", None),
        ("", None),
    ],
)
def test_a_message_may_name_its_place(text: str, place: Location | None) -> None:
    assert location_in(text.encode()) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("ERROR in ./src/app.ts:10:4", Location("./src/app.ts", 10, 4)),
        ("error in src/app.ts(10,4): TS2304", Location("src/app.ts", 10, 4)),
        ("PHP Parse error in src/a.php: line 3", Location("src/a.php", 3)),
        ("expected 3 at tests/test_ledger.py:12", Location("tests/test_ledger.py", 12)),
    ],
)
def test_words_before_a_path_are_not_part_of_it(text: str, place: Location) -> None:
    assert location_in(text.encode()) == place


PYTHON = lines("""
    Traceback (most recent call last):
      File "/home/me/app/main.py", line 3, in <module>
        run()
      File "/home/me/app/core.py", line 41, in run
        json.loads(text)
      File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
        return _default_decoder.decode(s)
""")


def test_python_points_to_the_last_frame_that_is_not_foreign() -> None:
    assert location_around(PYTHON, []) == Location("/home/me/app/core.py", 41)


def test_python_with_foreign_frames_only_points_to_the_last_of_them() -> None:
    before = lines("""
        Traceback (most recent call last):
          File "/usr/lib/python3.11/runpy.py", line 1, in main
          File "/venv/lib/python3.11/site-packages/x/y.py", line 2, in run
    """)
    assert location_around(before, []) == Location("/venv/lib/python3.11/site-packages/x/y.py", 2)


def test_python_frames_of_an_earlier_traceback_are_another_failure() -> None:
    before = [*PYTHON, b"KeyError: 'a'", b"", b"Traceback (most recent call last):", b"  no frame"]
    assert location_around(before, []) is None


@pytest.mark.parametrize(
    ("after", "place"),
    [
        (
            """
            java.lang.AssertionError: 3
            \tat com.acme.app.LedgerTest.balances(LedgerTest.java:42)
            """,
            Location("LedgerTest.java", 42),
        ),
        ("\tat com.acme.Main$.run(Main.scala:7)", Location("Main.scala", 7)),
        ("\tat com.acme.MainKt.main(Main.kt:7)", Location("Main.kt", 7)),
        (
            """
            \x20   at Module._compile (node:internal/modules/cjs/loader:1105:14)
            \x20   at Object.<anonymous> (/home/me/app/node_modules/x/index.js:1:2)
            \x20   at run (/home/me/app/src/run.js:17:9)
            """,
            Location("/home/me/app/src/run.js", 17, 9),
        ),
        ("    at file:///home/me/app/src/run.mjs:17:9", Location("/home/me/app/src/run.mjs", 17, 9)),
        ("    at async run (src/run.ts:17:9)", Location("src/run.ts", 17, 9)),
        (
            """
            /usr/lib/ruby/3.0.0/net/http.rb:1:in `x'
            \t/var/lib/gems/3.0.0/gems/rspec-core/lib/x.rb:9:in `run'
            # ./spec/ledger_spec.rb:12:in `block (2 levels) in <top (required)>'
            """,
            Location("./spec/ledger_spec.rb", 12),
        ),
        ("\tfrom lib/ledger.rb:12:in `balance'", Location("lib/ledger.rb", 12)),
        ("     # ./spec/ledger_spec.rb:12", Location("./spec/ledger_spec.rb", 12)),
        ("    lib/ledger.ex:12: Ledger.balance/1", Location("lib/ledger.ex", 12)),
        ("    test/ledger_test.exs:12", Location("test/ledger_test.exs", 12)),
        (
            """
            goroutine 1 [running]:
            runtime.gopanic(...)
            \t/usr/local/go/src/runtime/panic.go:884 +0x212
            main.balance(...)
            \t/home/me/app/ledger.go:12 +0x1d
            """,
            Location("/home/me/app/ledger.go", 12),
        ),
        ("        ledger_test.go:12", Location("ledger_test.go", 12)),
        ("  --> src/main.rs:4:9", Location("src/main.rs", 4, 9)),
        (
            """
               0: rust_begin_unwind
                         at /rustc/90c541806f23a127002de5b4038be731ba1458ca/library/std/src/panicking.rs:578:5
               1: app::balance
                         at ./src/ledger.rs:12:5
            """,
            Location("./src/ledger.rs", 12, 5),
        ),
        (
            r"""
               at System.ThrowHelper.Throw(String x) in /usr/lib/dotnet/ThrowHelper.cs:line 9
               at Acme.Ledger.Balance() in C:\work\Ledger.cs:line 12
            """,
            Location(r"C:\work\Ledger.cs", 12),
        ),
        ("   at Acme.Ledger.Balance() in /home/me/app/Ledger.cs:line 12", Location("/home/me/app/Ledger.cs", 12)),
        (
            """
            /home/me/app/vendor/phpunit/phpunit/src/Framework/TestCase.php:9
            /home/me/app/tests/LedgerTest.php:12
            """,
            Location("/home/me/app/tests/LedgerTest.php", 12),
        ),
        (
            """
                #0 0x4a2 in __asan_memcpy (/home/me/app/a.out+0x4a2)
                #1 0x4c5 in std::copy /usr/lib/gcc/include/c++/bits/stl.h:3:1
                #2 0x4f1 in balance /home/me/app/src/ledger.c:12:5
            """,
            Location("/home/me/app/src/ledger.c", 12, 5),
        ),
        ("tests/test_ledger.py:12: AssertionError", Location("tests/test_ledger.py", 12)),
        (
            """
            stacktrace:
              (elixir 1.14.0) lib/enum.ex:1658: Enum."-map/2-lists^map/1-0-"/2
              (shop 0.2.0) lib/shop.ex:4: Shop.parse/1
              test/shop_test.exs:39: (test)
            """,
            Location("lib/shop.ex", 4),
        ),
        (
            """
            ------
            docker/Dockerfile:2
            --------------------
            """,
            Location("docker/Dockerfile", 2),
        ),
        ("\tat WorkflowScript.run(WorkflowScript:38)", Location("Jenkinsfile", 38)),
        (
            """
            goroutine 19 [semacquire]:
            sync.(*Mutex).Lock(...)
            \t/usr/lib/go-1.22/src/sync/mutex.go:90
            shop.(*Cart).log(0x4b7dc0?)
            \t/home/me/app/cart.go:12 +0x4b
            shop.TestCart(0xc000096680?)
            \t/home/me/app/cart_test.go:13 +0x2a
            """,
            Location("/home/me/app/cart.go", 12),
        ),
        ("nothing\nof\nuse", None),
        ("", None),
    ],
    ids=[
        "java", "scala", "kotlin", "node", "node esm", "node async", "ruby", "ruby from", "rspec", "elixir", "exunit", "go panic", "go test", "rustc",
        "rust backtrace", "dotnet windows", "dotnet", "php", "sanitizer", "pytest",
        "elixir application", "buildkit", "jenkinsfile", "go timeout", "none", "empty",
    ],
)  # fmt: skip
def test_the_first_frame_below_that_is_not_foreign(after: str, place: Location | None) -> None:
    assert location_around([], lines(after)) == place


@pytest.mark.parametrize(
    "foreign",
    ["org.junit.Assert.fail(Assert.java:86)", "java.base/java.lang.Thread.run(Thread.java:829)", "sun.reflect.X.invoke(NativeMethodAccessorImpl.java:62)",
     "java.base/java.util.Objects.requireNonNull(Objects.java:233)", "hudson.plugins.git.GitSCM.fetchFrom(GitSCM.java:999)",
     "org.jenkinsci.plugins.gitclient.CliGitAPIImpl.launchCommandIn(CliGitAPIImpl.java:2671)"],
)  # fmt: skip
def test_java_skips_the_frames_of_the_test_framework_and_the_runtime(foreign: str) -> None:
    after = [b"\tat " + foreign.encode(), b"\tat com.acme.app.LedgerTest.balances(LedgerTest.java:42)"]
    assert location_around([], after) == Location("LedgerTest.java", 42)


def test_a_frame_of_the_project_below_wins_over_a_foreign_one_above() -> None:
    above = [b'  File "/usr/lib/python3.11/json/decoder.py", line 3, in x']
    assert location_around(above, [b"tests/test_ledger.py:12: ValueError"]) == Location("tests/test_ledger.py", 12)
    assert location_around(above, [b"/usr/lib/python3.11/x.py:12: ValueError"]) == Location("/usr/lib/python3.11/json/decoder.py", 3)


def test_a_path_that_is_not_utf_8_can_be_shown() -> None:
    assert location_around([b'  File "src/\xff.py", line 3'], []) == Location("src/\ufffd.py", 3)


def test_a_static_assertion_points_to_the_code_that_asked_for_the_template() -> None:
    before = lines("/opt/app/src/Account.h:69:42:   required from here")
    root = b"/opt/lib/include/span.h:165:24: error: static assertion failed: type must be trivially copyable"
    assert best_location(Location("/opt/lib/include/span.h", 165, 24), before, root, []) == Location("/opt/app/src/Account.h", 69, 42)
    assert best_location(Location("/opt/lib/include/span.h", 165, 24), [], root, []) == Location("/opt/lib/include/span.h", 165, 24)


def test_a_place_relative_to_the_tests_is_told_in_full() -> None:
    after = lines("""
        at helpers/step.ts:55

           at Step.run (/home/me/shop/tests/e2e/helpers/step.ts:55:33)
    """)
    assert location_around([], [b"   " + text for text in after]) == Location("/home/me/shop/tests/e2e/helpers/step.ts", 55, 33)
    assert location_around([], [b"   at helpers/step.ts:55"]) == Location("helpers/step.ts", 55)


def test_a_path_with_a_masked_secret_is_a_path() -> None:
    assert location_in(b"error: /home/runner/work/***/***/app/src/A.kt:30:35 nope") == Location("/home/runner/work/***/***/app/src/A.kt", 30, 35)


@pytest.mark.parametrize(
    "script",
    ["/home/runner/work/_temp/91e4.sh", "/home/runner/work/_actions/acme/lint/v3/dist/index.js", "/tmp/jenkins693.sh", "/home/travis/.travis/functions"],
)
def test_a_script_that_the_runner_made_is_no_place_of_the_project(script: str) -> None:
    assert best_location(Location(script, 2), [], f"{script}: line 2: buf: command not found".encode(), []) is None


def test_msbuild_names_the_project_of_an_error_in_its_own_files() -> None:
    targets = Location("/usr/share/dotnet/sdk/Microsoft.Common.targets", 1891, 5)
    root = b"/usr/share/dotnet/sdk/Microsoft.Common.targets(1891,5): error : Project refused. [/src/app/App.csproj::TargetFramework=net9.0]"
    assert best_location(targets, [], root, []) == Location("/src/app/App.csproj")
    own = Location("/src/app/A.cs", 3, 4)
    assert best_location(own, [], b"/src/app/A.cs(3,4): error CS1002 [/src/app/App.csproj]", []) == own


def test_a_place_beside_the_message_may_be_left_out() -> None:
    beside = [b"src/a.py:3: note"]
    assert best_location(None, [], b"it failed", beside) == Location("src/a.py", 3)
    assert best_location(None, [], b"it failed", beside, beside=False) is None
    assert best_location(None, [], b"it failed", [b"make: *** [Makefile:9: all] Error 1"]) is None

"""Printed paths against files of the repository, and failing lines against patches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cicd_agents.analysis.changes.places import Sameness, changed_lines, edited_text, like

NO, NAME, TAIL, SAME = Sameness


@pytest.mark.parametrize(
    ("printed", "paths", "expected"),
    [
        ("src/cart.py", ["src/cart.py"], {"src/cart.py": SAME}),
        ("./src/cart.py", ["src/cart.py", "docs/cart.py"], {"src/cart.py": SAME}),
        ("setup.cfg", ["setup.cfg"], {"setup.cfg": SAME}),
        ("/app/src/cart.py", ["src/cart.py"], {"src/cart.py": SAME}),
        ("/home/runner/work/shop/shop/src/cart.py", ["src/cart.py"], {"src/cart.py": SAME}),
        ("/home/runner/work/shop/shop/setup.cfg", ["setup.cfg"], {"setup.cfg": SAME}),
        ("D:\\a\\shop\\shop\\src\\Cart.cs", ["src/Cart.cs"], {"src/Cart.cs": SAME}),
        ("file:///app/src/cart.ts", ["src/cart.ts"], {"src/cart.ts": SAME}),
        ("../shop/src/cart.py", ["lib/shop/src/cart.py"], {"lib/shop/src/cart.py": SAME}),
        ("com/acme/CartTest.java", ["src/java/com/acme/CartTest.java", "src/java/com/acme/Cart.java"], {"src/java/com/acme/CartTest.java": SAME}),
        ("/app/util/cart.py", ["backend/util/cart.py"], {"backend/util/cart.py": TAIL}),
        ("example.com/shop/pkg/cart.go", ["pkg/cart.go"], {"pkg/cart.go": TAIL}),
        ("src/cart.ts", ["web/src/cart.ts", "api/src/cart.ts"], {"web/src/cart.ts": TAIL, "api/src/cart.ts": TAIL}),
        ("CartTest.java", ["src/test/java/CartTest.java"], {"src/test/java/CartTest.java": NAME}),
        ("/app/setup.cfg", ["setup.cfg"], {"setup.cfg": NAME}),
        ("CartTest.java", ["a/CartTest.java", "b/CartTest.java"], {}),
        ("index.ts", ["web/index.ts"], {}),
        ("/home/runner/work/shop/shop/packages/x/src/cart.py", ["src/cart.py"], {"src/cart.py": TAIL}),
        ("src/util/cart.py", ["lib/util/cart.py"], {}),
        ("/app/src/cart.py", ["docs/cart.py"], {}),
        ("src/cart.py", ["src/chart.py", "cart.pyc", "art.py"], {}),
        ("", ["src/cart.py"], {}),
        ("/", [""], {}),
    ],
)  # fmt: skip
def test_a_printed_path_is_found_among_the_changed_files(printed: str, paths: list[str], expected: dict[str, Sameness]) -> None:
    assert like(printed, paths) == expected


PATCH = """@@ -10,6 +10,7 @@ def total(cart):
     sum = 0
-    for item in cart:
+    for item in cart.items:
+        check(item)
         sum += item.price
     return sum
-
     # the end
@@ -40,2 +41,1 @@ def tax(cart):
-    rate = 0.2
     return sum * rate
\\ No newline at end of file"""


def test_the_changed_lines_of_a_patch_are_those_of_the_new_file() -> None:
    assert list(changed_lines(PATCH)) == [11, 12, 15, 41]


def test_the_edited_text_holds_both_sides_and_the_headings() -> None:
    edited = list(edited_text("--- a/cart.py\n+++ b/cart.py\n" + PATCH))
    assert "    for item in cart:" in edited
    assert "        check(item)" in edited
    assert " def tax(cart):" in edited
    assert not any("return sum" in line or "cart.py" in line for line in edited)


@pytest.mark.parametrize("patch", ["", "@@", "@@ -1 +99999999999999999999 @@\n+x", "Binary files differ", "+x", "@@ -0,0 +0,0 @@\n+x"])
def test_a_patch_that_is_none_changes_no_line(patch: str) -> None:
    assert list(changed_lines(patch)) == []


@given(st.text(max_size=80), st.lists(st.text(alphabet="ab/\\.:", max_size=12), max_size=6))
def test_any_text_can_be_compared(printed: str, paths: list[str]) -> None:
    assert set(like(printed, paths)) <= set(paths)
    assert all(line >= 0 for line in changed_lines(printed))

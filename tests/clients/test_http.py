"""How a service is called: addresses, headers, JSON, ETags, pages, bounds and the space between writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.servers.calling import TOKEN, calling
from tests.servers.http_server import Reply, Request, Server, json_reply

from cicd_agents import __version__
from cicd_agents.clients.clock import Budget, SystemClock
from cicd_agents.clients.http import MAX_BODY, MAX_REMEMBERED, MAX_REMEMBERED_BYTES, Answer, Timeouts
from cicd_agents.clients.http_exchange import MAX_REDIRECTS
from cicd_agents.clients.http_retry import MAX_TRIES, SECONDARY_LIMIT_WAIT, SECONDS_BETWEEN_WRITES
from cicd_agents.domain.errors import BadAnswer, NotFound, Refused, Unavailable

Serve = Callable[[Callable[[Request], Reply]], Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Servers that are closed after the test; what went wrong inside them fails it."""
    servers: list[Server] = []

    def start(handler: Callable[[Request], Reply]) -> Server:
        servers.append(Server(handler))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
    assert [problem for server in servers for problem in server.problems] == []


def echo(request: Request) -> Reply:
    return json_reply({"path": request.path, "query": request.query})


def test_every_request_says_who_asks_and_carries_the_credential(serve: Serve) -> None:
    server = serve(echo)
    with calling(server.url) as it:
        it.http.get("/user")
    assert server.requests[0].headers["user-agent"] == f"cicd-agents/{__version__}"
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_paths_lie_below_the_base_and_parameters_are_encoded(serve: Serve) -> None:
    server = serve(echo)
    with calling(f"{server.url}/api/v3/") as it:
        assert it.http.get_json("/repos/o/r?a=1", {"branch": "a&b=c d", "page": 2}) == {
            "path": "/api/v3/repos/o/r", "query": {"a": "1", "branch": "a&b=c d", "page": "2"},
        }  # fmt: skip


def test_half_a_character_in_an_answer_becomes_a_sign_that_can_be_written(serve: Serve) -> None:
    server = serve(lambda _: Reply(body=b'{"\\ud800": ["a\\uDC00b", "\\ud83d\\ude00", NaN]}'))
    with calling(server.url) as it:
        found = it.http.get("/x").json()
    assert [*found] == ["\ufffd"]
    assert found["\ufffd"][:2] == ["a\ufffdb", "\U0001f600"]


def test_a_full_address_on_the_same_server_is_called(serve: Serve) -> None:
    server = serve(echo)
    with calling(f"{server.url}/api") as it:
        assert it.http.get_json(f"{server.url}/api/jobs/1")["path"] == "/api/jobs/1"


def test_a_full_address_on_another_server_is_refused_before_it_is_called(serve: Serve) -> None:
    server, other = serve(echo), serve(echo)
    with calling(server.url) as it, pytest.raises(Refused, match="is another server"):
        it.http.get(f"{other.url}/jobs/1")
    assert other.requests == []


@pytest.mark.parametrize(
    "path", ["../admin", "a/../../admin", "a/%2e%2e/%2e%2e/admin", "a/%252e%252e/admin", "a/..\\admin", "./admin", "a#b", "a\r\nHost: b", "a\0"]
)
def test_a_path_that_leads_elsewhere_is_refused(serve: Serve, path: str) -> None:
    server = serve(echo)
    with calling(f"{server.url}/api/v4") as it, pytest.raises(Refused):
        it.http.get(f"/projects/{path}")
    assert server.requests == []


def test_what_is_missing_can_be_an_answer(serve: Serve) -> None:
    server = serve(lambda _: json_reply({"message": "Not Found"}, 404))
    with calling(server.url) as it:
        assert it.http.get("/x", missing_ok=True).status == 404
        with pytest.raises(NotFound):
            it.http.get("/x")


def test_an_answer_has_lower_case_headers_and_an_address_without_query(serve: Serve) -> None:
    server = serve(lambda _: Reply(200, b"{}", {"X-Total": "3"}))
    with calling(server.url) as it:
        answer = it.http.get("/x", {"sig": "secret"})
    assert answer.headers["x-total"] == "3"
    assert answer.url == f"{server.url}/x"


def test_a_write_sends_json(serve: Serve) -> None:
    server = serve(lambda _: json_reply({"id": 7}, 201))
    with calling(server.url) as it:
        assert it.http.send("POST", "/comments", {"body": "é \ud800"}).json() == {"id": 7}
        it.http.send("DELETE", "/comments/7")
    assert server.requests[0].json() == {"body": "é \ud800"}
    assert server.requests[0].headers["content-type"] == "application/json"
    assert (server.requests[1].method, server.requests[1].body) == ("DELETE", b"")


def test_writes_keep_a_second_apart_and_reads_do_not(serve: Serve) -> None:
    server = serve(echo)
    with calling(server.url) as it:
        it.http.send("POST", "/a", {})
        it.http.get("/a")
        it.http.get("/a")
        assert it.clock.slept == []
        it.http.send("PATCH", "/a", {})
        assert it.clock.slept == [1.0]
        it.clock.advance(0.75)
        it.http.send("POST", "/a", {})
        assert it.clock.slept == [1.0, 0.25]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "a web page"),
        (b'{"jobs": [{"id": 1', "not JSON"),
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 5_000, "not JSON"),
        (b'{"a": "\xff"}', "not JSON"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_json_is_said(serve: Serve, body: bytes, words: str) -> None:
    server = serve(lambda _: Reply(200, body))
    with calling(server.url) as it, pytest.raises(BadAnswer, match=f"GitHub: GET /x was answered with .*{words}"):
        it.http.get_json("/x")


def test_an_answer_without_a_service_still_says_what_is_wrong() -> None:
    with pytest.raises(BadAnswer, match="not JSON"):
        Answer(200, {}, b"x", "https://h.example/").json()


def test_an_answer_over_the_bound_is_refused(serve: Serve) -> None:
    server = serve(lambda _: Reply(200, b"x" * 1001))
    with calling(server.url) as it:
        assert len(it.http.get("/x", most=1001).body) == 1001
        with pytest.raises(Refused, match="more than may be read"):
            it.http.get("/x", most=1000)
    assert len(server.requests) == 2


def test_cookies_are_not_kept(serve: Serve) -> None:
    server = serve(lambda _: Reply(200, b"{}", {"set-cookie": "session=1; Path=/"}))
    with calling(server.url) as it:
        it.http.get("/x")
        it.http.get("/x")
    assert "cookie" not in server.requests[1].headers


# ETags


def tagged(request: Request) -> Reply:
    if request.headers.get("if-none-match") == '"v1"':
        return Reply(304, headers={"etag": '"v1"'})
    return json_reply({"n": [1], "path": request.path}, headers={"ETag": '"v1"'})


def test_what_is_unchanged_is_not_sent_again(serve: Serve) -> None:
    server = serve(tagged)
    with calling(server.url) as it:
        first = it.http.get_json("/x", {"a": 1})
        first["n"].append(2)
        assert it.http.get_json("/x", {"a": 1}) == {"n": [1], "path": "/x"}
        assert it.http.get_json("/x", {"a": 2}) == {"n": [1], "path": "/x"}
    assert [request.headers.get("if-none-match") for request in server.requests] == [None, '"v1"', None]


def test_only_so_many_answers_are_remembered(serve: Serve) -> None:
    server = serve(tagged)
    with calling(server.url) as it:
        for number in range(MAX_REMEMBERED + 1):
            it.http.get_json(f"/{number}")
        it.http.get_json(f"/{MAX_REMEMBERED}")
        it.http.get_json("/0")
    assert "if-none-match" in server.requests[-2].headers
    assert "if-none-match" not in server.requests[-1].headers


def test_large_answers_are_not_remembered(serve: Serve) -> None:
    server = serve(lambda _: json_reply("x" * (3 << 20), headers={"etag": '"v1"'}))
    with calling(server.url) as it:
        it.http.get_json("/x")
        it.http.get_json("/x")
    assert "if-none-match" not in server.requests[1].headers


def test_an_unchanged_answer_that_nobody_asked_for_is_said(serve: Serve) -> None:
    server = serve(lambda _: Reply(304))
    with calling(server.url) as it, pytest.raises(BadAnswer, match="304"):
        it.http.get_json("/x")


# Pages


def paged(link: Callable[[Request], str]) -> Callable[[Request], Reply]:
    return lambda request: json_reply([f"{request.path}?{request.query.get('page', '1')}"], headers={"link": link(request)})


def test_pages_follow_the_next_link_among_others(serve: Serve) -> None:
    def link(request: Request) -> str:
        page = int(request.query.get("page", "1"))
        base = f"http://{request.headers['host']}/api/items"
        following = f'<{base}?page={page + 1}&per_page=2>; title="a, b"; rel="next", ' if page < 3 else ""
        return f'<{base}?page=1>; rel="first", {following}<{base}?page=3>; rel="last"'

    server = serve(paged(link))
    with calling(f"{server.url}/api") as it:
        assert list(it.http.pages("/items", {"per_page": 2})) == ["/api/items?1", "/api/items?2", "/api/items?3"]
    assert [request.query.get("per_page") for request in server.requests] == ["2", "2", "2"]


def test_pages_follow_relative_and_keyset_links(serve: Serve) -> None:
    server = serve(paged(lambda request: "" if "page" in request.query else "</items?page=x&id_after=42>;rel=next"))
    with calling(server.url) as it:
        assert list(it.http.pages("/items")) == ["/items?1", "/items?x"]
    assert server.requests[1].query["id_after"] == "42"


def test_pages_give_the_list_under_a_key(serve: Serve) -> None:
    server = serve(lambda _: json_reply({"total_count": 2, "jobs": [1, 2]}))
    with calling(server.url) as it:
        assert list(it.http.pages("/jobs", items="jobs")) == [1, 2]


@pytest.mark.parametrize(("data", "items"), [({"jobs": None}, "jobs"), ({}, "jobs"), ([1], "jobs"), ({"message": "x"}, None), ("x", None)])
def test_pages_without_the_list_are_said(serve: Serve, data: object, items: str | None) -> None:
    server = serve(lambda _: json_reply(data))
    with calling(server.url) as it, pytest.raises(BadAnswer, match="without a list"):
        list(it.http.pages("/jobs", items=items))


@pytest.mark.parametrize("link", ['</items>; rel="next"', '<?page=2>; rel="next"'])
def test_pages_that_go_in_a_circle_end(serve: Serve, link: str) -> None:
    server = serve(paged(lambda _: link))
    with calling(server.url) as it, pytest.raises(BadAnswer, match="in a circle"):
        list(it.http.pages("/items"))
    assert len(server.requests) <= 2


def test_pages_end_at_the_cap_and_give_what_came_before(serve: Serve) -> None:
    server = serve(paged(lambda request: f'<?page={int(request.query.get("page", "1")) + 1}>; rel="next"'))
    with calling(server.url) as it:
        pages = it.http.pages("/items", most_pages=3)
        assert [next(pages) for _ in range(3)] == ["/items?1", "/items?2", "/items?3"]
        with pytest.raises(Refused, match="more than 3 pages"):
            next(pages)
    assert len(server.requests) == 3


@pytest.mark.parametrize("scheme", ["http", "ftp"])
def test_a_next_page_on_another_server_is_not_asked_for(serve: Serve, scheme: str) -> None:
    other = serve(echo)
    server = serve(paged(lambda _: f'<{other.url.replace("http", scheme)}/items?page=2&token=x>; rel="next"'))
    with calling(server.url) as it, pytest.raises(Refused, match="names a next page on") as caught:
        list(it.http.pages("/items"))
    assert other.requests == []
    assert "token" not in str(caught.value)


@pytest.mark.parametrize("link", ["", "<>", "rel=next", '</x>; rel="nextish"', '</x>; title="; rel=prev"', "<" * 20_000, "</x>" + ";a=b" * 9_000])
def test_a_link_header_without_a_next_page_ends_the_list(serve: Serve, link: str) -> None:
    server = serve(paged(lambda _: link))
    with calling(server.url) as it:
        assert list(it.http.pages("/items")) == ["/items?1"]


@pytest.mark.parametrize("link", ["http://[", "http://h:99999/", "http://x:y@h/", "//h.example/items"])
def test_a_next_page_with_an_unfit_address_is_refused(serve: Serve, link: str) -> None:
    server = serve(paged(lambda _: f'<{link}>; rel="next"'))
    with calling(server.url) as it, pytest.raises(Refused):
        list(it.http.pages("/items"))


# Budget


def test_nothing_is_sent_when_the_time_is_used_up(serve: Serve) -> None:
    server = serve(echo)
    with calling(server.url, seconds=10) as it:
        it.clock.advance(10)
        with pytest.raises(Unavailable, match=r"10 s for all calls are used up\. Raise `time-limit`"):
            it.http.get("/x")
    assert server.requests == []


def test_a_budget_counts_down_and_stays_at_zero() -> None:
    with calling("https://h.example") as it:
        budget = Budget(it.clock, 5)
        it.clock.advance(2)
        assert budget.left() == 3
        it.clock.advance(4)
        assert budget.left() == 0


def test_the_clock_of_the_machine_goes_on() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(-1)
    clock.sleep(0.001)
    assert clock.monotonic() - before >= 0.001
    assert clock.now() > 1_700_000_000


def test_the_page_on_http_says_the_limits_of_the_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "http.md").read_text("utf-8")
    for words in (
        f"| {MAX_BODY >> 20} MiB, counted", f"| {MAX_REMEMBERED}, and {MAX_REMEMBERED_BYTES >> 20} MiB", f"| redirects | {MAX_REDIRECTS} |",
        f"| {MAX_TRIES}, after 1, 2 and 4 s", f"| {SECONDS_BETWEEN_WRITES:.0f} s |", f"| {Timeouts().connect:.0f} s per address |",
        f"| one read or write | {Timeouts().read:.0f} s |", f"{SECONDARY_LIMIT_WAIT:.0f} s and doubling",
    ):  # fmt: skip
        assert words in page

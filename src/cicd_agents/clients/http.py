"""How every service is called: bounded in time and size, sent again only where that is safe, with our headers to its own origin only.

docs/http.md describes the conduct for users. Errors are those of `domain.errors`; their texts never hold a token or a query.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TypeVar

import httpx

from cicd_agents.clients import http_retry as rules
from cicd_agents.clients.clock import Budget
from cicd_agents.clients.http_addresses import below, origin, parsed, same_origin
from cicd_agents.clients.http_bodies import FileBody, TailSpool, TooLarge, collected
from cicd_agents.clients.http_exchange import Call, Exchange, Trouble, header_texts
from cicd_agents.clients.http_retry import Jitter, Retry, no_jitter
from cicd_agents.clients.http_service import Service
from cicd_agents.clients.http_tls import Tls
from cicd_agents.clients.http_transport import Timeouts
from cicd_agents.domain.errors import BadAnswer, Refused
from cicd_agents.domain.ports import Clock

__all__ = ["MAX_BODY", "TIMEOUTS", "Answer", "Budget", "Http", "Retry", "Service", "Timeouts", "Tls", "ignore"]

MAX_BODY = 16 << 20
TIMEOUTS = Timeouts()
# Answers that are kept with their ETag, by number and by bytes together.
MAX_REMEMBERED = 64
MAX_REMEMBERED_BYTES = 8 << 20
_LINK = re.compile(r'<([^<>]*)>((?>(?:\s*;(?>(?:[^",;<>]|"[^"<>]*+")*))*))')
_REL_NEXT = re.compile(r';\s*rel\s*=\s*(?:"[^"]*\bnext\b[^"]*"|next)\s*(?:;|$)', re.IGNORECASE)

Params = Mapping[str, str | int]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered. Header names are lower case; `url` has no query; `asked` says for messages what was asked of whom."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str
    asked: str = field(default="", repr=False)

    def json(self) -> Any:
        """The body as JSON. Raises BadAnswer when it is something else."""
        try:
            return _as_text(json.loads(self.body), self.body)
        except (ValueError, RecursionError):
            pass
        kind = "a web page" if self.body.lstrip()[:1] == b"<" else "something that is not JSON"
        raise BadAnswer(f"{self.asked or 'The request'} was answered with {kind}. Is this the address of the API, and does nothing stand between?")


def ignore(_retry: Retry) -> None:
    """Says nothing of retries."""


class Http:
    """Calls one service; not for several threads at once.

    `budget` bounds all calls together; `note` hears of retries; `jitter` gives numbers from 0 to 1 that lengthen the waits between tries; `tls` is for
    services with certificates of their own.
    """

    def __init__(
        self, service: Service, clock: Clock, budget: Budget, *,
        allow_http: Sequence[str] = (), note: Callable[[Retry], None] = ignore, timeouts: Timeouts = TIMEOUTS, jitter: Jitter = no_jitter,
        tls: Tls | None = None,
    ) -> None:  # fmt: skip
        self._service = service
        self._clock = clock
        self._budget = budget
        self._note = note
        self._jitter = jitter
        self._base = parsed(service.base_url.rstrip("/"), service.name)
        self._exchange = Exchange(service, budget, allow_http, timeouts, tls)
        self._write_after = 0.0
        self._remembered: OrderedDict[str, Answer] = OrderedDict()

    def get(
        self, path: str, params: Params | None = None, *, headers: Mapping[str, str] | None = None, missing_ok: bool = False, most: int = MAX_BODY
    ) -> Answer:
        """Read something. With `missing_ok` a 404 is given as an Answer. Raises ServiceError; Refused for a body over `most` bytes."""
        call = self._call("GET", path, params, headers)
        return self._tried(call, True, lambda: self._answer(call, most, (404,) if missing_ok else ()))

    def get_json(self, path: str, params: Params | None = None, *, most: int = MAX_BODY) -> Any:
        """Read JSON; what is unchanged since an earlier call is not sent again (ETag, RFC 9110)."""
        key = str(self._call("GET", path, params).url)
        known = self._remembered.get(key)
        conditional = {"if-none-match": known.headers["etag"]} if known else {}
        call = self._call("GET", path, params, conditional)
        answer = self._tried(call, True, lambda: self._answer(call, most, (304,) if known else ()))
        if known is not None and answer.status == 304:
            self._remembered.move_to_end(key)
            return known.json()
        data = answer.json()
        self._remember(key, answer)
        return data

    def pages(self, path: str, params: Params | None = None, *, items: str | None = None, most_pages: int = 100) -> Iterator[Any]:
        """The items of all pages; `items` is the key of the list in each answer, None: the answer is the list.

        Raises Refused where there are more than `most_pages` pages or the next one lies on another origin, BadAnswer where they go in a circle.
        """
        seen: set[str] = set()
        following = path
        while following:
            call = self._call("GET", following, params)
            if len(seen) >= most_pages:
                raise Refused(f"{self._start(call)} has more than {most_pages} pages; the rest is not read.")
            if str(call.url) in seen:
                raise BadAnswer(f"{self._start(call)} goes in a circle: a page names an earlier one as the next.")
            seen.add(str(call.url))
            answer = self.get(following, params)
            yield from _items(answer, items)
            following, params = self._next(call, answer.headers.get("link", "")), None

    def send(
        self, method: str, path: str, body: Any = None, *, params: Params | None = None, repeatable: bool = False, media_type: str = "application/json"
    ) -> Answer:
        """Write something; `body` is sent as JSON. Sent again only where nothing can have happened, or with `repeatable`; writes keep a second apart."""
        headers, content = (None, None) if body is None else ({"content-type": media_type}, json.dumps(body).encode())
        call = self._call(method, path, params, headers, content)
        return self._tried(call, repeatable, lambda: self._written(call))

    def ask(self, path: str, body: Any) -> Answer:
        """Ask by POST what changes nothing there: sent again as a read is, and no second apart."""
        call = self._call("POST", path, None, {"content-type": "application/json"}, json.dumps(body).encode())
        return self._tried(call, True, lambda: self._answer(call, MAX_BODY))

    def upload(self, path: str, content: BinaryIO, size: int, media_type: str, *, method: str = "POST", params: Params | None = None, base: str = "") -> Answer:
        """Write `size` bytes of a stream, in pieces. Sent again only where nothing can have happened and the stream can go back.

        `base` is another base address of the same service, to which its headers go as well; whoever gives it has checked that it is the service's.
        Raises Refused, before the other side has all of it, for a stream that is shorter or longer.
        """
        headers = {"content-type": media_type, "content-length": str(size)}
        call = self._call(method, path, params, headers, FileBody(content, size), parsed(base.rstrip("/"), self._service.name) if base else None)
        return self._tried(call, False, lambda: self._written(call))

    @contextmanager
    def download(
        self, path: str, *, most: int, headers: Mapping[str, str] | None = None, tail: bool = True, on_cut: Callable[[int], None] | None = None
    ) -> Iterator[BinaryIO]:
        """A file, spooled; also from another host, to which none of our headers go.

        Of a file over `most` bytes the last `most` are kept, and `on_cut` is told how many were dropped; without `tail` Refused is raised.
        """
        call = self._call("GET", path, None, headers)
        spool = self._tried(call, True, lambda: self._exchange.run(call, lambda _, chunks: _spooled(chunks, most, tail)))
        try:
            if spool.dropped and on_cut is not None:
                on_cut(spool.dropped)
            yield spool.stream()
        finally:
            spool.close()

    def close(self) -> None:
        """Close all connections."""
        self._exchange.close()

    def _call(
        self, method: str, path: str, params: Params | None, headers: Mapping[str, str] | None = None,
        content: bytes | FileBody | None = None, base: httpx.URL | None = None,
    ) -> Call:  # fmt: skip
        self._service.check_headers()
        url = below(base or self._base, path, self._service.name)
        if params:
            url = url.copy_merge_params(dict(params))
        return Call(method, _shown_path(url, base or self._base), url, headers or {}, content)

    def _answer(self, call: Call, most: int, good: Sequence[int] = ()) -> Answer:
        def read(response: httpx.Response, chunks: Iterator[bytes]) -> Answer:
            url = str(response.url.copy_with(query=None, fragment=None))
            return Answer(response.status_code, header_texts(response), collected(chunks, most), url, self._start(call))

        return self._exchange.run(call, read, good)

    def _written(self, call: Call) -> Answer:
        wait = self._write_after - self._clock.monotonic()
        if wait > 0:
            self._clock.sleep(wait)
        try:
            return self._answer(call, MAX_BODY)
        finally:
            self._write_after = self._clock.monotonic() + rules.SECONDS_BETWEEN_WRITES

    def _tried(self, call: Call, safe: bool, once: Callable[[], Result]) -> Result:
        """Do it, and again where that is safe and worth it."""
        attempt = 1
        while True:
            try:
                return once()
            except Trouble as caught:
                trouble = caught
            attempt += 1
            wait = self._wait(call, safe, attempt, trouble)
            if wait is None:
                break
            self._note(Retry(self._service.name, self._service.asked(call.method, call.path), trouble.reason, wait, attempt))
            self._clock.sleep(wait)
        tries = f" It was tried {attempt - 1} times." if attempt > 2 else ""
        raise type(trouble.error)(f"{trouble.error}{tries}")

    def _wait(self, call: Call, safe: bool, attempt: int, trouble: Trouble) -> float | None:
        """Seconds before the next try; None: there is none. Raises RateLimited for a limit beyond the time that is left."""
        failed, left = trouble.failed, self._budget.left()
        if failed is None:
            again = not trouble.final and (safe or not trouble.sent)
            wait = rules.backoff(attempt, self._jitter)
        else:
            again = rules.may_repeat(failed, safe)
            wait = rules.wait_before(failed, attempt, self._clock.now(), self._jitter)
            if rules.is_rate_limit(failed) and wait >= left:
                raise self._service.rate_limited(call.method, call.path, wait, left)
        return wait if again and call.repeatable and attempt <= rules.MAX_TRIES and wait < left else None

    def _remember(self, key: str, answer: Answer) -> None:
        """Keep an answer that has an ETag, and drop the oldest ones beyond the bounds."""
        self._remembered.pop(key, None)
        if "etag" in answer.headers and len(answer.body) <= MAX_REMEMBERED_BYTES // 4:
            self._remembered[key] = answer
        while len(self._remembered) > MAX_REMEMBERED or sum(len(kept.body) for kept in self._remembered.values()) > MAX_REMEMBERED_BYTES:
            self._remembered.popitem(last=False)

    def _next(self, call: Call, link: str) -> str:
        """The address of the next page by a Link header (RFC 8288); empty when there is none."""
        for target, parameters in _LINK.findall(link[:16384]):
            if _REL_NEXT.search(parameters):
                url = call.url.join(parsed(target, self._service.name))
                if not same_origin(url, self._base):
                    raise Refused(f"{self._start(call)} names a next page on {origin(url)}, which is not followed. Is the API's address right?")
                return str(url)
        return ""

    def _start(self, call: Call) -> str:
        return f"{self._service.name}: {self._service.asked(call.method, call.path)}"


def _shown_path(url: httpx.URL, base: httpx.URL) -> str:
    """The path below the base URL, quoted, without its query."""
    path = url.raw_path.decode("ascii").partition("?")[0]
    start = base.raw_path.decode("ascii").rstrip("/")
    return path.removeprefix(start) if path.startswith(f"{start}/") else path


def _as_text(data: Any, body: bytes) -> Any:
    """The same with a sign for each half of a character (`"\\ud800"` alone): JSON may hold such, and no text that is written or sent can."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return data
    return json.loads(json.dumps(data, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _items(answer: Answer, key: str | None) -> list[Any]:
    data = answer.json()
    found = data if key is None else data.get(key) if isinstance(data, dict) else None
    if isinstance(found, list):
        return found
    raise BadAnswer(f"{answer.asked} was answered without a list{f' `{key}`' if key else ''}. Is this the address of the API?")


def _spooled(chunks: Iterator[bytes], most: int, tail: bool) -> TailSpool:
    spool = TailSpool(most)
    try:
        for chunk in chunks:
            spool.write(chunk)
            if spool.dropped and not tail:
                raise TooLarge
    except BaseException:
        spool.close()
        raise
    return spool

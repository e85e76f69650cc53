"""Gemini behind the port `LanguageModel`, by google-genai's client; docs/gemini.md describes the conduct for users.

google-genai is imported when a reply is asked for, not before. A reply takes at most the seconds of its request, whatever the server or a library does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any, TypeVar

import httpcore

from cicd_agents.clients.clock import Budget
from cicd_agents.clients.gemini_access import GeminiAccess
from cicd_agents.clients.gemini_failures import NAME, GeminiFailed, failure, late
from cicd_agents.clients.gemini_replies import Gathering
from cicd_agents.clients.gemini_requests import config, contents, is_model_name
from cicd_agents.clients.gemini_transport import Guard, cloud_credentials, opened, silence
from cicd_agents.clients.http_retry import Jitter, Retry, backoff, no_jitter
from cicd_agents.domain.advice import ModelReply, ModelRequest, Usage
from cicd_agents.domain.errors import Refused
from cicd_agents.domain.ports import Clock

MAX_TRIES = 3
# An answer of 8192 tokens comes in some hundred pieces of about 1 kB.
MAX_ANSWER = 8 << 20

Result = TypeVar("Result")


def _ignore(_retry: Retry) -> None:
    """Says nothing of retries."""


class Gemini:
    """A Gemini model. `note` hears of retries; `jitter` gives numbers from 0 to 1 that lengthen the waits before them."""

    def __init__(
        self, access: GeminiAccess, clock: Clock, *, allow_http: Sequence[str] = (), note: Callable[[Retry], None] = _ignore, jitter: Jitter = no_jitter,
        most: int = MAX_ANSWER,
    ) -> None:  # fmt: skip
        self._access = access
        self._clock = clock
        self._allow_http = tuple(allow_http)
        self._note = note
        self._jitter = jitter
        self._most = most
        self._credentials: Any = None

    def reply(self, request: ModelRequest) -> ModelReply:
        """The model's reply. Raises ModelFailed, within the seconds of the request, waits and further tries included.

        Asking is not idempotent in money: a question is sent again only where it surely was not paid for, so that one reply is paid for at most once.
        """
        self._check(request)
        budget = Budget(self._clock, request.seconds)
        attempt = 1
        while True:
            try:
                return self._try(request, budget)
            except GeminiFailed as failed:
                problem = failed
            attempt += 1
            pause = backoff(attempt, self._jitter) if problem.wait is None else problem.wait
            if budget.left() <= 0:
                problem = late(request.seconds, problem.usage, untold=problem.untold)
            if not problem.again or attempt > MAX_TRIES or pause >= budget.left():
                raise problem
            self._note(Retry(NAME, "asking the model", str(problem), pause, attempt))
            self._clock.sleep(pause)

    def _check(self, request: ModelRequest) -> None:
        if not is_model_name(request.model):
            raise GeminiFailed("the name of the model is none. It looks like gemini-2.5-flash.")
        try:
            self._access.check(self._allow_http)
            return
        except Refused as refused:
            said = str(refused).removeprefix(f"{NAME}: ")
        raise GeminiFailed(said)

    def _try(self, request: ModelRequest, budget: Budget) -> ModelReply:
        """One try. It runs beside us, and is left alone when the time is over: google's search for credentials, for one, has no limit of its own."""
        silence()
        guard, gathering = Guard(budget, self._allow_http, self._most), Gathering()
        try:
            return _beside(lambda: self._ask(request, guard, gathering), budget.left())
        except (TimeoutError, httpcore.ReadTimeout, httpcore.WriteTimeout):
            problem = late(request.seconds)
        except Exception as failed:  # noqa: BLE001 an answer of a strange shape can raise anything inside the client
            problem = failure(failed, request.model, vertex=self._access.vertex, begun=guard.begun)
        if problem.usage == Usage():
            problem.usage = gathering.usage
        problem.untold = guard.asked and not problem.unpaid and problem.usage == Usage()
        problem.again = problem.again and not problem.untold
        # Raised out here so that nothing of the cause, which may hold the prompt and the key, hangs on it.
        raise problem

    def _ask(self, request: ModelRequest, guard: Guard, gathering: Gathering) -> ModelReply:
        if self._access.vertex and self._credentials is None:
            self._credentials = cloud_credentials()
        with opened(self._access, guard, self._credentials) as client:
            return gathering.take(client.models.generate_content_stream(model=request.model, contents=contents(request.turns), config=config(request)))


def _beside(work: Callable[[], Result], seconds: float) -> Result:
    """What the work gives, in a thread that does not keep the process alive. Raises what the work raises, and TimeoutError when the seconds are over."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as problem:  # noqa: BLE001 it is raised where the result is awaited
            future.set_exception(problem)

    Thread(target=run, name="gemini", daemon=True).start()
    if not wait((future,), seconds).done:
        raise TimeoutError
    return future.result()

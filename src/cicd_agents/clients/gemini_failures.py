"""Why there is no reply, as one sentence of our own: nothing of the service's words, the model's text, the prompt or the key is in it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import Any

import httpcore
import httpx

from cicd_agents.clients.http_bodies import TooLarge
from cicd_agents.domain.advice import ModelFailed, Usage
from cicd_agents.domain.errors import Refused, UsageError

NAME = "Gemini"
# Failures that pass, and that Google does not charge for (ai.google.dev, "Gemini API billing FAQs": no charge for a request that fails with a 400 or 500
# error). Only where the service itself tells them: by the same status a gateway may tell that it has lost an answer, which is paid for.
_PASSING = frozenset({500, 503})
_TIMEOUT, _RATE_LIMIT, _UNAVAILABLE = 408, 429, 503
_SECONDS = re.compile(r"([0-9]{1,9})(?:\.[0-9]{1,9})?s")
# Why an answer or a prompt was stopped, in the service's words and ours.
REASONS: Mapping[str, str] = {
    "SAFETY": "a safety filter", "IMAGE_SAFETY": "a safety filter", "RECITATION": "the filter for recited text", "LANGUAGE": "an unsupported language",
    "BLOCKLIST": "a list of forbidden terms", "PROHIBITED_CONTENT": "the filter for prohibited content", "SPII": "the filter for personal data",
    "MODEL_ARMOR": "Model Armor", "JAILBREAK": "the filter for jailbreaks", "OTHER": "a reason that the service does not name",
    "MALFORMED_FUNCTION_CALL": "a malformed function call", "UNEXPECTED_TOOL_CALL": "an unexpected function call",
    "TOO_MANY_TOOL_CALLS": "too many function calls", "MISSING_THOUGHT_SIGNATURE": "a missing thought signature",
    "MALFORMED_RESPONSE": "a malformed response",
}  # fmt: skip
CATEGORIES: Mapping[str, str] = {
    "HARM_CATEGORY_HARASSMENT": "harassment", "HARM_CATEGORY_HATE_SPEECH": "hate speech", "HARM_CATEGORY_SEXUALLY_EXPLICIT": "sexually explicit",
    "HARM_CATEGORY_DANGEROUS_CONTENT": "dangerous content", "HARM_CATEGORY_CIVIC_INTEGRITY": "civic integrity", "HARM_CATEGORY_JAILBREAK": "jailbreak",
}  # fmt: skip


class GeminiFailed(ModelFailed):
    """No reply. `usage` is what the service counted nevertheless; `again`: another try may help, after `wait` seconds where the service says so.

    `unpaid`: the service itself says that it has not answered, which it does not charge for.
    """

    def __init__(
        self, text: str, *, usage: Usage = Usage(), again: bool = False, wait: float | None = None, untold: bool = False, unpaid: bool = False  # noqa: B008 frozen
    ) -> None:  # fmt: skip
        super().__init__(f"{NAME}: {text}", usage, untold)
        self.again = again
        self.wait = wait
        self.unpaid = unpaid


class WebPage(Exception):
    """An answer that is a web page, or packed in a way that was not asked for."""


def late(seconds: float, usage: Usage = Usage(), *, untold: bool = False) -> GeminiFailed:  # noqa: B008 frozen
    """The time is over."""
    return GeminiFailed(f"there was no whole answer within {seconds:g} s.", usage=usage, untold=untold)


def cut(usage: Usage) -> GeminiFailed:
    """A stream that ended before the model did."""
    return GeminiFailed("the answer broke off before its end.", usage=usage)


def junk() -> GeminiFailed:
    """Something that is not of the API."""
    return GeminiFailed("the answer is not what the API describes. Is this the address of the API, and does nothing stand between?")


def stopped(reason: str, categories: tuple[str, ...], usage: Usage) -> GeminiFailed:
    """An answer that the service stopped."""
    names = sorted({CATEGORIES[name] for name in categories if name in CATEGORIES})
    detail = f" ({', '.join(names)})" if names else ""
    return GeminiFailed(f"the answer was stopped by {REASONS.get(reason, 'something that is not known here')}{detail}.", usage=usage)


def blocked(reason: str, usage: Usage) -> GeminiFailed:
    """A prompt that the service refused."""
    return GeminiFailed(f"the question was refused by {REASONS.get(reason, 'something that is not known here')}.", usage=usage)


def failure(problem: BaseException, model: str, *, vertex: bool, begun: bool) -> GeminiFailed:
    """What a problem of the call means. `begun`: a part of the answer had come and is paid for, so it is not asked for again."""
    known = _ours(problem) or _network(problem, begun) or _service(problem, model, vertex)
    if known is None and isinstance(problem, ValueError | TypeError | AttributeError | LookupError | RecursionError):
        known = junk()  # what the client makes of an answer of another shape; its own text would quote the answer
    if known is None:
        known = GeminiFailed(f"google-genai failed in a way that is not known here ({type(problem).__name__}).")
    known.again, known.unpaid = known.again and not begun, known.unpaid and not begun
    return known


def _ours(problem: BaseException) -> GeminiFailed | None:
    if isinstance(problem, GeminiFailed):
        return problem
    if isinstance(problem, TooLarge):
        return GeminiFailed("the answer is larger than may be read.")
    if isinstance(problem, WebPage):
        return GeminiFailed("the answer is a web page, or packed. Is this the address of the API, and does nothing stand between?")
    if isinstance(problem, Refused | UsageError):  # texts of our own, which name the service where it matters
        return GeminiFailed(str(problem).removeprefix(f"{NAME}: "))
    if isinstance(problem, ImportError):
        return GeminiFailed("the package google-genai cannot be imported. Install `cicd-agents[llm]`.")
    if isinstance(problem, OSError):  # of the network all are httpcore's
        return GeminiFailed("a file that the environment names (SSL_CERT_FILE, SSL_CERT_DIR, GOOGLE_APPLICATION_CREDENTIALS) cannot be used.")
    return None


def _network(problem: BaseException, begun: bool) -> GeminiFailed | None:
    if not isinstance(problem, httpcore.TimeoutException | httpcore.NetworkError | httpcore.ProtocolError | httpcore.ProxyError | httpx.TransportError):
        return None
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in problem.args):
        return GeminiFailed("the certificate of the server is not trusted. If it is your own CA, name its file in SSL_CERT_FILE.")
    if begun:
        return cut(Usage())
    if isinstance(problem, httpcore.ProxyError):
        return GeminiFailed("the proxy refused the connection.", again=True)
    if isinstance(problem, httpcore.ConnectError | httpcore.ConnectTimeout):
        return GeminiFailed("no connection to the server. Is the network up, and the address right?", again=True)
    return GeminiFailed("the connection broke off before an answer came.")  # the question may have arrived, and an answer that is lost is paid for


def _service(problem: BaseException, model: str, vertex: bool) -> GeminiFailed | None:
    from google.auth.exceptions import GoogleAuthError
    from google.genai.errors import APIError

    if isinstance(problem, GoogleAuthError):
        return GeminiFailed("no usable credentials of Google Cloud. Check GOOGLE_APPLICATION_CREDENTIALS, or the step that logs in.")
    if not isinstance(problem, APIError):
        return None
    code = problem.code if isinstance(problem.code, int) and not isinstance(problem.code, bool) else 0
    details, wait = _details(problem.details), _wait(problem)
    refused = code == _RATE_LIMIT or (code in _PASSING and _of_service(problem.details)) or (code == _UNAVAILABLE and wait is not None)
    unpaid = refused or (300 <= code < 500 and code != _TIMEOUT)
    return GeminiFailed(_sentence(code, details, model, vertex), again=refused, wait=wait, unpaid=unpaid)


def _sentence(code: int, details: tuple[Mapping[str, Any], ...], model: str, vertex: bool) -> str:
    reasons = {item["reason"] for item in details if isinstance(item.get("reason"), str)}
    credential = "the credentials of Google Cloud need the role `roles/aiplatform.user`" if vertex else "check GEMINI_API_KEY"
    if code == 401 or reasons & {"API_KEY_INVALID", "API_KEY_EXPIRED"}:
        return f"the key or credential was refused ({code}); {credential}."
    if code == 403:
        return f"the key or credential may not use this model ({code}); {credential}, and that the API is enabled in its project."
    if code == 404:
        return f"the model {model} is not known there ({code}). Check its name, and the address if you gave one."
    if code == 429:
        return f"the rate limit or the quota is reached ({code})."
    if code == 413:
        return f"the question is too long ({code})."
    if 300 <= code < 400:
        return f"the request was redirected ({code}), which is not followed. Set the address to the final one."
    if 400 <= code < 500:
        return f"the request was rejected ({code}). Check that {model} can do what is asked, and where you may use it."
    return f"the service failed ({code}). Try again later." if code >= 500 else "the service reported an error. Try again later."


def _status(data: Any) -> Mapping[str, Any]:
    """The google.rpc.Status of an error, empty where it is none."""
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    error = data.get("error") if isinstance(data, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def _of_service(data: Any) -> bool:
    """Whether an error has the shape in which the service itself tells it."""
    status = _status(data)
    return isinstance(status.get("code"), int) and isinstance(status.get("status"), str)


def _details(data: Any) -> tuple[Mapping[str, Any], ...]:
    """The details of a google.rpc.Status, as far as there are any."""
    items = _status(data).get("details")
    return tuple(item for item in items if isinstance(item, Mapping)) if isinstance(items, list) else ()


def _wait(problem: Any) -> float | None:
    """The seconds that the service asks to wait: by the header Retry-After, else by google.rpc.RetryInfo."""
    header = getattr(problem.response, "headers", {}).get("retry-after", "")
    if re.fullmatch(r"[0-9]{1,9}", header):
        return float(header)
    delays = (_SECONDS.fullmatch(item["retryDelay"]) for item in _details(problem.details) if isinstance(item.get("retryDelay"), str))
    return next((float(found[1]) + 1 for found in delays if found), None)

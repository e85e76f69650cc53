"""GitLab's API as a service to call: which token, how it is sent, what is said when it does not suffice, and how lists are paged.

Roles: GitLab docs, user/permissions. What a job token may do: GitLab docs, ci/jobs/ci_job_token; that list grows, so refusals tell, not a list of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, unquote

from cicd_agents.clients.http import Answer, Http, Service
from cicd_agents.clients.shapes import Shape
from cicd_agents.domain.errors import BadAnswer, NotAllowed, NotFound, Refused

TOKEN_VARIABLE = "CICD_AGENTS_GITLAB_TOKEN"  # noqa: S105 the name of a variable
# Most items of a page (GitLab docs, api/rest, pagination).
PAGE_SIZE = 100
_FORKS = "Pipelines of merge requests from forks do not get it."
# What a call does, by the end of its path below the project; the first that fits.
_NAMES = tuple(
    (method, re.compile(pattern), words)
    for method, pattern, words in (
        ("GET", r"/user", "reading the account of the token"),
        ("GET", r".*/pipelines", "listing pipelines"),
        ("GET", r".*/pipelines/([^/]+)", "reading pipeline {}"),
        ("GET", r".*/pipelines/([^/]+)/jobs", "reading the jobs of pipeline {}"),
        ("GET", r".*/pipelines/([^/]+)/bridges", "reading the trigger jobs of pipeline {}"),
        ("GET", r".*/jobs/([^/]+)/trace", "reading the log of job {}"),
        ("POST", r".*/jobs/([^/]+)/retry", "starting job {} again"),
        ("GET", r".*/repository/compare", "comparing commits"),
        ("GET", r".*/repository/commits/([^/]+)", "reading commit {}"),
        ("GET", r".*/repository/commits/([^/]+)/diff", "reading the files of commit {}"),
        ("GET", r".*/repository/commits/([^/]+)/merge_requests", "looking for the merge request of commit {}"),
        ("GET", r".*/repository/files/(.+)/raw", "reading the file {}"),
        ("GET", r".*/merge_requests/([^/]+)/notes", "reading the notes of merge request {}"),
        ("POST", r".*/merge_requests/([^/]+)/notes", "writing a note on merge request {}"),
        ("PUT", r".*/merge_requests/([^/]+)/notes/[^/]+", "changing a note of merge request {}"),
        ("DELETE", r".*/merge_requests/([^/]+)/notes/[^/]+", "deleting a note of merge request {}"),
        ("GET", r".*/issues", "listing issues"),
        ("POST", r".*/issues", "opening an issue"),
        ("GET", r".*/issues/([^/]+)", "reading issue {}"),
        ("PUT", r".*/issues/([^/]+)", "changing issue {}"),
        ("GET", r".*/issues/([^/]+)/notes", "reading the notes of issue {}"),
        ("POST", r".*/issues/([^/]+)/notes", "writing a note on issue {}"),
        ("PUT", r".*/issues/([^/]+)/notes/[^/]+", "changing a note of issue {}"),
        ("GET", r".*/merge_requests", "listing merge requests"),
        ("POST", r".*/merge_requests", "opening a merge request"),
        ("GET", r".*/merge_requests/([^/]+)", "reading merge request {}"),
        ("PUT", r".*/merge_requests/([^/]+)", "changing merge request {}"),
        ("GET", r".*/releases", "listing releases"),
        ("POST", r".*/releases", "making a release"),
        ("GET", r".*/releases/([^/]+)", "reading release {}"),
        ("PUT", r".*/releases/([^/]+)", "changing release {}"),
        ("POST", r".*/releases/([^/]+)/assets/links", "adding a link to release {}"),
        ("DELETE", r".*/releases/([^/]+)/assets/links/[^/]+", "taking a link from release {}"),
        ("GET", r".*/packages", "listing packages"),
        ("GET", r".*/packages/[^/]+/package_files", "listing the files of a package"),
        ("PUT", r".*/packages/generic/[^/]+/[^/]+/([^/]+)", "putting the file {} into the package registry"),
        ("GET", r".*/repository/commits/([^/]+)/statuses", "reading the checks of commit {}"),
        ("POST", r".*/pipeline", "starting a pipeline"),
        ("GET", r".*/deployments", "listing deployments"),
        ("GET", r".*/deployments/([^/]+)", "reading the approvals of deployment {}"),
        ("GET", r"/users", "looking for an account"),
        ("GET", r"/groups/([^/]+)/members/all/[^/]+", "looking for a member of the group {}"),
        ("GET", r"/projects/[^/]+/members/all/[^/]+", "looking for a member of the project"),
    )
)  # fmt: skip


class TokenKind(StrEnum):
    """Which credential we have: a personal, group or project access token, the job's own token, or none."""

    ACCESS = "access"
    JOB = "job"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Credential:
    """The better one of the tokens that are there: an access token, else that of the job (variable CI_JOB_TOKEN)."""

    kind: TokenKind
    headers: Mapping[str, str] = field(repr=False)

    @staticmethod
    def of(access_token: str, job_token: str) -> Credential:
        """Texts may be empty: not given."""
        if access_token:
            return Credential(TokenKind.ACCESS, {"PRIVATE-TOKEN": access_token})
        if job_token:
            return Credential(TokenKind.JOB, {"JOB-TOKEN": job_token})
        return Credential(TokenKind.NONE, {})


def service(api_url: str, credential: Credential) -> Service:
    """The service at `api_url` (variable CI_API_V4_URL)."""

    def advised(method: str, path: str, status: int) -> str:
        return advice(credential.kind, method, path, status)

    return Service("GitLab", api_url, credential.headers, advised, naming)


def naming(method: str, path: str) -> str:
    """What a call does, in words."""
    for of, pattern, words in _NAMES:
        if of == method and (match := pattern.fullmatch(path)):
            return words.format(*(unquote(part) for part in match.groups()))
    return f"{method} {path}"


def advice(kind: TokenKind, method: str, path: str, status: int) -> str:
    """What to do when a call was answered with 401, 403 or 404."""
    wanted = f"a project access token with the scope `api` and the role {_role(method, path)}"
    if kind is not TokenKind.ACCESS:
        lacking = "The job token may not do this" if kind is TokenKind.JOB else "There is no token"
        return f"{lacking}: put {wanted} into the variable {TOKEN_VARIABLE}, masked. {_FORKS}"
    if status == 401:
        return f"The token in {TOKEN_VARIABLE} is wrong, expired or revoked: put {wanted} there."
    if status == 403:
        return f"The token in {TOKEN_VARIABLE} does not suffice: it takes {wanted}."
    return f"It is not there, or the token in {TOKEN_VARIABLE} may not see it: that takes {wanted}."


# Writes that take more than the role Reporter, by the end of their path below the project.
_DEVELOPERS = re.compile(r".*/(?:merge_requests(?:/[^/]+)?|releases(?:/[^/]+)?|releases/[^/]+/assets/links(?:/[^/]+)?|packages/generic/.+)")


def _role(method: str, path: str) -> str:
    if method == "POST" and path.endswith(("/retry", "/pipeline")):
        return "Developer (on a protected branch one that may merge there)"
    if method == "POST" and path.endswith("/releases"):
        return "Developer (for a protected tag one that may create it)"
    if method != "GET" and _DEVELOPERS.fullmatch(path):
        return "Developer"
    if path.endswith("/trace"):
        return "Reporter (Developer where CI_DEBUG_TRACE is on)"
    return "Reporter"


@dataclass(frozen=True, slots=True)
class Project:
    """One project of a GitLab server: `name` is its number or its full path, `web_url` its page (empty: addresses of notes are not known)."""

    http: Http
    name: str
    token: TokenKind = TokenKind.ACCESS
    web_url: str = ""

    def path(self, *parts: str | int) -> str:
        """The path of something inside the project; every part is encoded, also its slashes."""
        return "/".join(("/projects", *(quote(str(part), safe="") for part in (self.name, *parts))))

    def listed(self, path: str, query: Mapping[str, str | int], where: str, *, most_pages: int = 100) -> Iterator[Shape]:
        """The items of all pages. `where` says for messages what is listed. Raises Refused where there are more pages than `most_pages`.

        Pages are asked for by number, not by the addresses in `Link`: behind a proxy that ends TLS those may begin with http.
        """
        page = "1"
        for _ in range(most_pages):
            answer = self.http.get(path, {**query, "per_page": PAGE_SIZE, "page": page})
            items = _items(answer, where)
            yield from items
            page = _next(answer, page, len(items))
            if not page:
                return
        raise Refused(f"GitLab: {where}: there are more than {most_pages} pages; the rest is not read.")

    @contextmanager
    def surely_there(self) -> Iterator[None]:
        """Around calls for what must be there: GitLab hides from a job token what it may not see, so that 404 then means a refusal."""
        try:
            yield
        except NotFound as problem:
            if self.token is TokenKind.ACCESS:
                raise
            raise NotAllowed(str(problem)) from None


def _items(answer: Answer, where: str) -> list[Shape]:
    data = answer.json()
    if not isinstance(data, list):
        raise BadAnswer(f"GitLab: {where}: the answer should be a list. Is this the address of the API?")
    return [Shape.of(item, f"GitLab: {where}") for item in data]


def _next(answer: Answer, page: str, items: int) -> str:
    """The number of the next page, empty on the last one. Without the header (a proxy dropped it) a full page has a next one."""
    said = answer.headers.get("x-next-page")
    if said is None:
        return str(int(page) + 1) if items >= PAGE_SIZE else ""
    if said.isascii() and said.isdecimal() and int(said) > int(page):
        return said
    return ""


def reason(answer: Answer) -> str:
    """Why GitLab found nothing, in lower case: it says so for what was asked ("404 Not found") and for what it lies in ("404 Project Not Found")."""
    try:
        return Shape.of(answer.json(), "GitLab").text("message", "").lower()
    except BadAnswer:
        return ""

"""Jenkins as a service to call: its login, its paths, and for each request the words for it and the permission that it needs.

Sources: jenkins.io, "Remote Access API", "CSRF Protection" and "Permissions"; the names are those of the permission matrix.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from urllib.parse import quote, unquote

from cicd_agents.clients.http_service import Service
from cicd_agents.domain.ci import RunRef
from cicd_agents.domain.errors import UsageError

NAME = "Jenkins"
_LOGIN = "Set JENKINS_API_USER and JENKINS_API_TOKEN to a user and an API token of that user (not the password)."
_MAX_PATH = 2000
_REF = re.compile(r"(?P<job>.+)#(?P<number>[0-9]{1,9})")
_BELOW = re.compile(r"(?P<job>(?:/job/[^/]+)+)(?:/(?P<number>[0-9]+))?/(?P<what>.+)")
_WORDS = {
    ("GET", "api/json", True): "reading build {0}",
    ("GET", "api/json", False): "reading the builds of {0}",
    ("GET", "consoleText", True): "reading the log of build {0}",
    ("GET", "logText/progressiveText", True): "reading the log of build {0}",
    ("GET", "wfapi/describe", True): "reading the stages of build {0}",
    ("POST", "build", False): "starting {0}",
    ("POST", "buildWithParameters", False): "starting {0}",
}


def service(url: str, user: str, token: str) -> Service:
    """The server at `url`, also below a path; without user and token only what anonymous visitors may see can be read."""
    headers = {}
    if user and token:
        headers["authorization"] = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()
    return Service(NAME, url, headers, advice=_advice(user if headers else ""), naming=naming)


def build_of(ref: RunRef) -> tuple[str, int]:
    """Job path and number of a build. Raises UsageError for something else than `folder/job#12`."""
    found = _REF.fullmatch(ref.id.strip("/"))
    if found is None or len(ref.id) > _MAX_PATH or not all(found["job"].split("/")):
        raise UsageError(f"Jenkins: {ref.id[:200]} is no build; name it as job/path#number.")
    return found["job"], int(found["number"])


def job_path(job: str, *parts: str) -> str:
    """The address of a job by its path, such as `folder/app/feature%2Fx`: that is the name of a branch's job, so its % is quoted again."""
    return "".join(f"/job/{quote(name, safe='')}" for name in job.split("/")) + "".join(f"/{part}" for part in parts)


def naming(method: str, path: str) -> str:
    """What a request does, in words."""
    if path.startswith("/crumbIssuer/"):
        return "asking for a crumb"
    found = _BELOW.fullmatch(path)
    words = _WORDS.get((method, found["what"], found["number"] is not None)) if found else None
    if found is None or words is None:
        return f"{method} {path}"
    job = "/".join(unquote(name) for name in found["job"].split("/")[2::2])
    return words.format(f"{job}#{found['number']}" if found["number"] else job)


def _advice(user: str) -> Callable[[str, str, int], str]:
    def advice(method: str, path: str, status: int) -> str:
        if status == 401 or not user:
            return _LOGIN
        if status == 403 and method == "POST":
            return f"Give the user {user} the permission Job/Build."
        if status == 403:
            return f"Give the user {user} the permissions Overall/Read and Job/Read."
        if path.endswith(("/consoleText", "/progressiveText")):
            return "Old builds and their logs may have been deleted."
        return f"Check the job's path and the number. Old builds may have been deleted, and without Job/Read the user {user} sees nothing here."

    return advice

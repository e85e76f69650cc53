"""Where Gemini is called and with what credential: the Gemini API by key, Vertex AI by project, or any endpoint that speaks the same protocol."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import httpx

from cicd_agents.clients.gemini_failures import NAME, GeminiFailed
from cicd_agents.clients.http_addresses import AddressRules, parsed

GEMINI_API = "https://generativelanguage.googleapis.com"
_VERSIONS = {False: "v1beta", True: "v1beta1"}
_VERSION = re.compile(r"/(v[0-9]{1,2}(?:(?:alpha|beta)[0-9]{0,2})?)/*$")
_SENDABLE = re.compile(r"[\x21-\x7e]+")
_PLACE = re.compile(r"[a-z0-9][a-z0-9.:-]{0,99}")


@dataclass(frozen=True, slots=True)
class GeminiAccess:
    """With a `project` it is Vertex AI and the environment's credentials of Google Cloud, else the Gemini API and the `key`.

    `base_url` is another endpoint; a version at the end of its path (`/v1beta`) is taken for `api_version`, which else is the one of the service.
    """

    key: str = field(default="", repr=False)
    project: str = ""
    location: str = "global"
    base_url: str = field(default="", repr=False)  # may hold what nobody should see
    api_version: str = ""

    @property
    def given(self) -> bool:
        """Whether there is anything to call with."""
        return bool(self.key.strip() or self.project)

    @property
    def vertex(self) -> bool:
        """Whether it is Vertex AI."""
        return bool(self.project)

    @property
    def address(self) -> str:
        """The address without a version."""
        return _VERSION.sub("", self.base_url.strip()).rstrip("/") or (self._vertex_address if self.vertex else GEMINI_API)

    @property
    def version(self) -> str:
        """The version of the API, which stands in every path."""
        found = _VERSION.search(self.base_url.strip())
        return self.api_version or (found[1] if found else _VERSIONS[self.vertex])

    @property
    def _vertex_address(self) -> str:
        """Google's address for the location: one for all, one for `eu` and `us` each, one for every region."""
        if self.location == "global":
            return "https://aiplatform.googleapis.com"
        if self.location in ("eu", "us"):
            return f"https://aiplatform.{self.location}.rep.googleapis.com"
        return f"https://{self.location}-aiplatform.googleapis.com"

    def check(self, allow_http: tuple[str, ...]) -> httpx.URL:
        """The address, if it may be called and there is something to call with. Raises GeminiFailed and Refused."""
        if not self.given:
            raise GeminiFailed("there is no key. Set GEMINI_API_KEY, or name a project of Google Cloud.")
        if not self.vertex and not _SENDABLE.fullmatch(self.key.strip()):
            raise GeminiFailed("the key holds characters that cannot be sent. Was it copied whole, and nothing with it?")
        return self.check_place(allow_http)

    def check_place(self, allow_http: tuple[str, ...]) -> httpx.URL:
        """The address, if it may be called. Raises GeminiFailed and Refused."""
        if self.vertex and not (_PLACE.fullmatch(self.project) and _PLACE.fullmatch(self.location)):
            raise GeminiFailed("the project or the location of Vertex AI is not a name of one.")
        if not re.fullmatch(r"v[0-9a-z]{1,12}", self.version):
            raise GeminiFailed("the version of the API should look like v1beta.")
        url = parsed(self.address, NAME)
        AddressRules(NAME, allow_http).check(url)
        if url.query or url.fragment:
            raise GeminiFailed("the address may have a path, but nothing after `?` or `#`.")
        return url

"""Settings → the model that is asked: Gemini by key or project, or a recording of it. Imported only where one is to be asked."""

from __future__ import annotations

import random
from importlib.util import find_spec
from pathlib import Path

from cicd_agents.clients.gemini import Gemini
from cicd_agents.clients.gemini_access import GeminiAccess
from cicd_agents.clients.gemini_failures import NAME
from cicd_agents.clients.gemini_requests import is_model_name
from cicd_agents.clients.http_retry import Retry
from cicd_agents.clients.model_record import Recorder, Replay
from cicd_agents.clients.model_redaction import WithoutSecrets
from cicd_agents.domain.advice import LanguageModel, ModelFailed
from cicd_agents.domain.context import RunContext
from cicd_agents.domain.errors import Refused, UsageError
from cicd_agents.settings.model import Settings
from cicd_agents.wiring.world import World


def model_of(settings: Settings, context: RunContext, world: World) -> LanguageModel:
    """The model of the settings; nothing is called yet. Raises UsageError for settings with which no model can be called."""

    def redact(text: str) -> str:
        return world.redactor.redact(text).text

    def say(retry: Retry) -> None:
        world.say(str(retry))

    if not is_model_name(settings.model):
        raise UsageError(f"model: {settings.model[:60]!r} is no name of a model; it looks like gemini-2.5-flash.")
    if settings.model_replay:
        if settings.model_record:
            raise UsageError("model-record and model-replay exclude each other; set one of them.")
        return WithoutSecrets(Replay(_below(context, settings.model_replay), redact), redact)
    gemini = Gemini(_access(settings), world.clock, allow_http=settings.allow_http, note=say, jitter=random.random)
    if settings.model_record:
        return WithoutSecrets(Recorder(gemini, _below(context, settings.model_record), redact, world.say), redact)
    return WithoutSecrets(gemini, redact)


def _access(settings: Settings) -> GeminiAccess:
    """Where and with what. Of the key nothing is said here: one that is in the environment for something else must not end a run."""
    access = GeminiAccess(settings.gemini_key, settings.vertex_project, settings.vertex_location, settings.model_url)
    try:
        access.check_place(settings.allow_http)
    except (ModelFailed, Refused) as problem:
        which = "model-url" if settings.model_url else "vertex-project and vertex-location"
        raise UsageError(f"{which}: {str(problem).removeprefix(f'{NAME}: ')}") from None
    if settings.explain == "required" and find_spec("google.genai") is None:
        raise UsageError("explain is `required`, and the package google-genai is not installed; install `cicd-agents[llm]`.")
    return access


def _below(context: RunContext, path: str) -> Path:
    return Path(context.workspace or ".") / path

# The image behind the action and the GitLab component: cicd-agents in a virtual environment on a plain Python image.
# Any builder can build it, also one without BuildKit. The release gives BASE_IMAGE with its digest.
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /build
COPY requirements/build.txt requirements/runtime.txt requirements/llm.txt requirements/
# Two environments: one with the tools that build, and the one that is shipped, which has not even pip.
RUN python3 -m venv tools \
 && python3 -m venv --without-pip /opt/cicd-agents \
 && tools/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements/build.txt \
 && tools/bin/pip --python /opt/cicd-agents/bin/python install --no-cache-dir --no-compile --require-hashes --only-binary :all: --requirement requirements/runtime.txt
# The client of the model, in files of its own beside those of the core: they become a layer of their own, which is read only when a model is asked.
# Its tests are not shipped.
RUN cp -a /opt/cicd-agents /opt/llm \
 && tools/bin/pip --python /opt/llm/bin/python install --no-cache-dir --no-compile --require-hashes --only-binary :all: --requirement requirements/llm.txt \
 && find /opt/cicd-agents ! -type d -exec sh -c 'for file; do rm "/opt/llm${file#/opt/cicd-agents}"; done' sh {} + \
 && rm -rf /opt/llm/bin /opt/llm/lib/python3*/site-packages/google/genai/tests \
 && find /opt/llm -type d -empty -delete \
 && /opt/cicd-agents/bin/python -m compileall -q --invalidation-mode unchecked-hash -s /opt/llm -p /opt/cicd-agents /opt/llm/lib
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src src
# Compiled beforehand, because its user may not write here; the files never change, so Python need not look at their times.
# Time zones are in the base image already; only a dependency of a dependency asks for a second copy. Settings files are small: PyYAML reads them without
# its compiled part. The files of the signatures stand whole in their compiled form.
RUN tools/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir wheel . \
 && tools/bin/pip --python /opt/cicd-agents/bin/python install --no-cache-dir --no-compile --no-deps --no-index wheel/*.whl \
 && rm -rf /opt/cicd-agents/lib/python3*/site-packages/tzdata/zoneinfo /opt/cicd-agents/lib/python3*/site-packages/yaml/_yaml*.so \
    /opt/cicd-agents/lib/python3*/site-packages/cicd_agents/analysis/logs/signatures \
 && /opt/cicd-agents/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/cicd-agents/lib \
 && mkdir /workspace

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="cicd-agents" \
      org.opencontainers.image.description="CI/CD agents that explain failed pipelines" \
      org.opencontainers.image.source="https://github.com/org/cicd-agents" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/cicd-agents /opt/cicd-agents
COPY --from=build /opt/llm /opt/cicd-agents
COPY --from=build --chown=1001:1001 /workspace /workspace
ENV PATH=/opt/cicd-agents/bin:$PATH
# The user id of GitHub's hosted runners: so it may write the files that the runner makes for outputs and summary, and leaves no files of root behind.
USER 1001:1001
WORKDIR /workspace
ENTRYPOINT ["/opt/cicd-agents/bin/cicd-agents"]
CMD ["run"]

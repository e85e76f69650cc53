# The image of the release-manager: the main image (Dockerfile) and git, which is larger than all that the doctor needs.
ARG IMAGE=ghcr.io/org/cicd-agents:v1.0.0

FROM ${IMAGE}
LABEL org.opencontainers.image.description="CI/CD agents with git, which make releases"
USER 0
# The newest git that the base image's own distribution has: a version written here would soon be gone from there.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/*
USER 1001:1001

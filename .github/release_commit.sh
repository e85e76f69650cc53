#!/usr/bin/env bash
# Makes the commit that a release of this project consists of, with its annotated tag, and checks it out: `release_commit.sh X.Y.Z [DIGEST GIT_DIGEST]`.
#
# Its first parent is the commit that is released, its second the release before, so that releases form a line of their own beside main, in which each knows
# the one before it. With the digests of the two images (sha256:…) actions and components name them there. GitHub lets the token of a workflow change no
# workflow file, so doctor.yml keeps the version. A tag that is there already is taken, if it is of this very commit: nothing is moved, nothing is done twice.
set -euo pipefail

readonly VERSION=$1 DIGEST=${2:-} GIT_DIGEST=${3:-}
readonly TAG=v$VERSION IMAGE=ghcr.io/org/cicd-agents
readonly FILES=(action.yml {release,guardian}/action.yml gitlab-component/templates/{pipeline-doctor,release-manager,deployment-guardian}.yml)

say() { printf 'release commit: %s\n' "$*" >&2; }

# Each file names one image; write its digest behind it.
name_by_digest() {
  local file digest image
  for file in "${FILES[@]}"; do
    case $file in *release* | *guardian*) image=$IMAGE:$TAG-git digest=$GIT_DIGEST ;; *) image=$IMAGE:$TAG digest=$DIGEST ;; esac
    [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { say "$digest is no digest"; exit 1; }
    sed -i -E "s#(${image//./\\.})( |\$)#\1@$digest\2#" "$file"
    grep -qF "$image@$digest" "$file" || { say "$file does not name $image"; exit 1; }
  done
}

released=$(git rev-parse 'HEAD^{commit}')
if git rev-parse --quiet --verify "refs/tags/$TAG" >/dev/null; then
  [ "$(git rev-parse "refs/tags/$TAG^1")" = "$released" ] || { say "$TAG exists, and is of another commit"; exit 1; }
  say "$TAG is there"
else
  previous=$(git tag --list --sort=-version:refname 'v*' | grep -Ex 'v[0-9]+\.[0-9]+\.[0-9]+' | head -n 1 || true)
  [ -z "$DIGEST" ] || name_by_digest
  git add --update
  export GIT_AUTHOR_NAME='github-actions[bot]' GIT_AUTHOR_EMAIL='41898282+github-actions[bot]@users.noreply.github.com'
  export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
  commit=$(git commit-tree -p "$released" ${previous:+-p "$previous^{commit}"} -m "chore(release): $TAG" "$(git write-tree)")
  git tag --annotate --message "Release $TAG" "$TAG" "$commit"
fi
git checkout --quiet --force --detach "$TAG"

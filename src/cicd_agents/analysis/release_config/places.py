"""Where the configuration of release-please stands; the names without a folder are its defaults, the others are set in workflows."""

CONFIGS = ("release-please-config.json", ".release-please-config.json", ".github/release-please-config.json", ".github/.release-please-config.json")
MANIFESTS = (".release-please-manifest.json", "release-please-manifest.json", ".github/.release-please-manifest.json", ".github/release-please-manifest.json")
WORKFLOWS = ".github/workflows/"

"""What credentials look like: vendors' documented token formats, as data.

Every pattern runs in linear time on any input: an unbounded run is possessive and stands last, everything before it is
bounded, so that a failed attempt costs a constant. A named group `secret` marks the part to hide; without it the whole match is.
"""

from __future__ import annotations

Shape = tuple[str, str, str]

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_BASE64_LABELS = "BSU0EgUFJJ|BQUklWQVRFIE|BFQyBQUklW|BPUEVOU1NI|BEU0EgUFJJ|BFTkNSWVBU|BQR1AgUFJJ"  # of RSA, none, EC, …
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
_END = r"(?![A-Za-z0-9])"


def _each(kind: str, prefixes: str, rest: str) -> tuple[Shape, ...]:
    return tuple((kind, prefix, rest) for prefix in prefixes.split())


# (kind, literal prefix, what follows it). These prefixes occur in nothing else: they count even when glued to other text. No
# condition on what comes after: of several tokens in a row, each would come to light only when the next one is hidden.
DISTINCTIVE: tuple[Shape, ...] = (
    *_each("github-token", "ghp_ gho_ ghu_ ghr_", r"[A-Za-z0-9]{36,}+"),
    ("github-token", "ghs_", r"[A-Za-z0-9._-]{36,}+"),  # since 2026 also ghs_APPID_JWT, about 520 characters
    ("github-token", "github_pat_", r"[A-Za-z0-9_]{36,}+"),
    *_each("gitlab-token", "glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- gloas- glsoat- glffct- glwt-", r"[\w.=-]{20,}+"),
    ("gitlab-token", "GR1348941", r"[A-Za-z0-9_-]{20,}+"),
    *_each("aws-session-token", "IQoJb3JpZ2luX2 FwoGZXIvYXdz", r"[A-Za-z0-9+/=%_-]{40,}+"),
    ("aws-bedrock-key", "bedrock-api-key-", r"[A-Za-z0-9+/=_-]{40,}+"),
    ("google-api-key", "AIza", r"[A-Za-z0-9_-]{35,}+"),
    ("google-api-key", "AQ.Ab", r"[A-Za-z0-9_-]{30,}+"),
    ("google-oauth-secret", "GOCSPX-", r"[A-Za-z0-9_-]{20,}+"),
    ("google-oauth-token", "ya29.", r"[A-Za-z0-9._-]{20,}+"),
    ("google-hmac-key", "GOOG1E", r"[A-Z0-9]{50,}+"),
    *_each("slack-token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe.xoxb- xoxe.xoxp- xapp- xwfp-", r"[A-Za-z0-9%-]{10,}+"),
    ("slack-webhook", "hooks.slack.com/", r"(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_+-]{16,}+)"),
    ("discord-webhook", "/webhooks/", r"[0-9]{15,22}/(?P<secret>[A-Za-z0-9_-]{40,}+)"),
    ("teams-webhook", "webhook.office.com/", r"(?P<secret>[A-Za-z0-9@/_-]{40,}+)"),
    ("zapier-webhook", "hooks.zapier.com/hooks/catch/", r"(?P<secret>[A-Za-z0-9/]{8,}+)"),
    *_each("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_", r"[A-Za-z0-9]{10,}+"),
    ("stripe-webhook-secret", "whsec_", r"[A-Za-z0-9+/=]{24,}+"),
    ("sendgrid-key", "SG.", r"[A-Za-z0-9_-]{16,40}+\.[A-Za-z0-9_-]{16,}+"),
    *_each("brevo-key", "xkeysib- xsmtpsib-", r"[0-9a-f]{60,}+(?:-[A-Za-z0-9]{8,}+)?"),
    ("npm-token", "npm_", r"[A-Za-z0-9]{36,}+"),
    ("pypi-token", "pypi-Ag", r"[A-Za-z0-9_-]{50,}+"),
    ("rubygems-key", "rubygems_", r"[0-9a-f]{48,}+"),
    ("clojars-token", "CLOJARS_", r"[a-z0-9]{60,}+"),
    *_each("docker-hub-token", "dckr_pat_ dckr_oat_", r"[A-Za-z0-9_-]{20,}+"),
    ("artifactory-key", "AKCp", r"[A-Za-z0-9]{60,}+"),
    ("artifactory-token", "cmVmdGtu", r"[A-Za-z0-9]{50,}+"),  # base64 of "reftkn"
    *_each("vault-token", "hvs. hvb. hvr.", r"[A-Za-z0-9_-]{24,}+"),
    ("new-relic-key", "NRAK-", r"[A-Z0-9]{27,}+"),
    *_each("new-relic-key", "NRII- NRIQ- NRSP- NRRA-", r"[A-Za-z0-9_-]{24,}+"),
    ("sentry-token", "sntrys_", r"[A-Za-z0-9+/=_-]{40,}+"),
    ("sentry-token", "sntryu_", r"[0-9a-f]{64,}+"),
    ("grafana-token", "glsa_", r"[A-Za-z0-9]{32}_[0-9a-fA-F]{8,}+"),
    ("grafana-token", "glc_", r"[A-Za-z0-9+/=]{32,}+"),
    ("grafana-token", "eyJrIjoi", r"[A-Za-z0-9+/=_-]{40,}+"),  # base64 of {"k":"
    ("cloudflare-tunnel-token", "eyJhIjoi", r"[A-Za-z0-9+/=_-]{100,}+"),  # base64 of {"a":"
    ("heroku-key", "HRKU-", r"[A-Za-z0-9_-]{30,}+"),
    *_each("digitalocean-token", "dop_v1_ doo_v1_ dor_v1_", r"[0-9a-f]{64,}+"),
    *_each("cloudflare-token", "cfk_ cfut_ cfat_", r"[A-Za-z0-9_-]{40,}+"),
    ("cloudflare-origin-key", "v1.0-", r"[0-9a-f]{24}-[0-9a-f]{140,}+"),
    ("anthropic-key", "sk-ant-", r"[A-Za-z0-9_-]{20,}+"),
    *_each("openai-key", "sk-proj- sk-svcacct- sk-admin- sk-None-", r"[A-Za-z0-9_-]{20,}+"),
    ("openrouter-key", "sk-or-v1-", r"[0-9a-f]{40,}+"),
    *_each("langfuse-key", "sk-lf-", _UUID),
    *_each("langsmith-key", "lsv2_pt_ lsv2_sk_", r"[0-9a-f]{32}_[0-9a-f]{10}"),
    ("groq-key", "gsk_", r"[A-Za-z0-9]{48,}+"),
    ("xai-key", "xai-", r"[A-Za-z0-9]{70,}+"),
    ("perplexity-key", "pplx-", r"[A-Za-z0-9]{40,}+"),
    ("nvidia-key", "nvapi-", r"[A-Za-z0-9_-]{50,}+"),
    ("pinecone-key", "pcsk_", r"[A-Za-z0-9_]{40,}+"),
    *_each("shopify-token", "shpat_ shpca_ shppa_ shpss_", r"[0-9a-fA-F]{32,}+"),
    *_each("square-token", "sq0atp- sq0csp- sq0idp-", r"[A-Za-z0-9_-]{22,}+"),
    *_each("linear-key", "lin_api_ lin_oauth_", r"[A-Za-z0-9]{32,}+"),
    ("notion-token", "ntn_", r"[0-9]{11}[A-Za-z0-9]{35,}+"),
    *_each("atlassian-token", "ATATT3 ATCTT3 ATSTT3", r"[A-Za-z0-9_=-]{50,}+"),
    ("bitbucket-app-password", "ATBB", r"[A-Za-z0-9]{32,}+"),
    *_each("doppler-token", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"[A-Za-z0-9._-]{40,}+"),
    *_each("snyk-token", "snyk_uat. snyk_sat.", r"[A-Za-z0-9._-]{20,}+"),
    *_each("sonar-token", "sqp_ squ_ sqa_", r"[0-9a-f]{40,}+"),
    *_each("age-secret-key", "AGE-SECRET-KEY-1 AGE-SECRET-KEY-PQ-1", r"[A-Z0-9]{50,}+"),
    *_each("circleci-token", "CCIPAT_ CCIPRJ_", r"[A-Za-z0-9_]{40,}+"),
    *_each("buildkite-token", "bkua_ bkat_ bkct_", r"[A-Za-z0-9_-]{30,}+"),
    *_each("vercel-token", "vcp_ vci_ vca_ vcr_ vck_", r"[A-Za-z0-9_-]{24,}+"),
    *_each("netlify-token", "nfp_ nfc_ nfo_ nfu_ nfb_", r"[A-Za-z0-9_]{36,}+"),
    ("supabase-token", "sbp_", r"[0-9a-f]{40,}+"),
    ("supabase-token", "sb_secret_", r"[A-Za-z0-9_-]{20,}+"),
    *_each("planetscale-token", "pscale_tkn_ pscale_oauth_ pscale_pw_", r"[A-Za-z0-9=._-]{32,}+"),
    ("fly-token", "FlyV1 ", r"fm[0-9][a-z]?_[A-Za-z0-9+/=_,-]{50,}+"),
    ("dynatrace-token", "dt0c01.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    ("postman-key", "PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"),
    ("contentful-token", "CFPAT-", r"[A-Za-z0-9_-]{40,}+"),
    *_each("figma-token", "figd_ figu_", r"[A-Za-z0-9_-]{36,}+"),
    ("tailscale-key", "tskey-", r"[A-Za-z0-9-]{20,}+"),
    ("sourcegraph-token", "sgp_", r"[A-Za-z0-9_]{40,}+"),
    ("1password-token", "ops_eyJ", r"[A-Za-z0-9+/=_-]{50,}+"),
    *_each("plaid-token", "access-sandbox- access-production- access-development-", _UUID),
    # base64 of "-----BEGIN " and a private key's label: kubeconfig client-key-data, Kubernetes secrets
    ("private-key", "LS0tLS1CRUdJTi", rf"(?:{_BASE64_LABELS})[A-Za-z0-9+/=_-]++"),
)

# As above, but the prefix also occurs inside ordinary words and blobs, so it must begin a word.
AT_WORD_START: tuple[Shape, ...] = (
    # The access key id, and the secret key where it directly follows.
    *_each("aws-key", "AKIA ASIA ABIA ACCA", r"[A-Z0-9]{16}" + _END + r"(?:[\s,:;|\"']{1,4}[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=]))?"),
    ("aws-bedrock-key", "ABSK", r"[A-Za-z0-9+/]{100,}+={0,2}"),
    ("google-refresh-token", "1//0", r"[A-Za-z0-9_-]{40,}+"),
    ("twilio-key", "SK", r"[0-9a-f]{32}" + _END),
    ("twilio-sid", "AC", r"[0-9a-f]{32}" + _END),
    ("mailgun-key", "key-", r"(?<![_-]key-)[0-9a-f]{32}" + _END),
    ("nuget-key", "oy2", r"[a-z0-9]{43}" + _END),
    ("crates-token", "cio", r"[A-Za-z0-9]{32}" + _END),
    ("vault-token", "s.", r"(?=[A-Za-z]{0,23}[0-9])(?=[^A-Z]{0,23}[A-Z])[A-Za-z0-9]{24}(?![A-Za-z0-9_.(])"),
    ("openai-key", "sk-", r"(?=[A-Za-z]{0,40}[0-9])[A-Za-z0-9]{32,}+"),
    ("elevenlabs-key", "sk_", r"[0-9a-f]{48}" + _END),
    ("huggingface-token", "hf_", r"[A-Za-z0-9]{30,}+"),
    ("replicate-token", "r8_", r"[A-Za-z0-9]{37}" + _END),
    ("databricks-token", "dapi", r"[0-9a-f]{32}(?:-[0-9])?" + _END),
    ("square-token", "EAAA", r"(?<!-EAAA)[A-Za-z0-9_-]{60}" + _END),
    ("facebook-token", "EAAC", r"[A-Za-z0-9]{80,}+"),
    ("notion-token", "secret_", r"[A-Za-z0-9]{43}" + _END),
    ("pulumi-token", "pul-", r"[0-9a-f]{40}" + _END),
    ("resend-key", "re_", r"[A-Za-z0-9]{8}_[A-Za-z0-9]{24}" + _END),
    *_each("launchdarkly-key", "sdk- api-", _UUID + _END),
    ("octopus-key", "API-", r"(?=[A-Z]{0,30}[0-9])[A-Z0-9]{26,}+"),
)

_B64 = "[A-Za-z0-9_-]"  # base64url
_COOKIE_NAME = r"""(?i:--cookie[ =]|cookie\\{0,3}["']?\s{0,4}[:=])\s{0,4}\\{0,3}["']?"""
_LOGIN_FLAG = r"""[ \t]["']?(?P<secret>[^\s"'$`-][^\s"'`]{3,}+)"""

# (kind, text that must occur somewhere, pattern). A text in lower case may occur in any.
IN_CONTEXT: tuple[Shape, ...] = (
    ("jwt", "eyJ", rf"eyJ(?:(?<!{_B64}eyJ)|(?<=\\[nrt]eyJ)|(?<=%3DeyJ)){_B64}{{8,}}+\.{_B64}{{8,}}+(?:\.{_B64}*+){{1,3}}"),
    ("azure-storage-key", "accountkey=", r"(?i:AccountKey)=(?P<secret>[A-Za-z0-9+/%]{40,}+={0,2})"),
    ("azure-shared-access-key", "sharedaccesskey=", r"(?i:SharedAccessKey)=(?P<secret>[A-Za-z0-9+/%]{30,}+={0,2})"),
    ("azure-client-secret", "Q~", _START + r"[\w~.]{3}[78]Q~[\w~.-]{31,}+"),
    ("azure-devops-token", "AZDO", _START + r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])"),
    ("azure-ai-key", "JQQJ99", _START + r"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{20,30}(?![A-Za-z0-9])"),
    ("url-signature", "sig=", r"(?:[?&;]|\\u0026|%26)sig=(?P<secret>[A-Za-z0-9%+/_=-]{20,}+)"),
    ("url-signature", "signature=", r"(?i:signature)=(?P<secret>[A-Za-z0-9%+/_~=-]{32,}+)"),
    ("terraform-cloud-token", ".atlasv1.", _START + r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,}+"),
    ("mailchimp-key", "-us", _START + r"[0-9a-f]{32}-us[0-9]{1,2}(?![A-Za-z0-9])"),
    ("telegram-token", ":AA", _START + r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33,}+"),
    ("new-relic-key", "NRAL", _START + r"[0-9a-f]{36}NRAL(?![0-9A-Za-z])"),
    ("docker-auth", '"auth', r'"auth\\{0,3}"\s{0,4}:\s{0,4}\\{0,3}"(?=[a-z]{0,60}[A-Z0-9])(?P<secret>[A-Za-z0-9+/=_-]{8,}+)'),
    ("npm-auth", "_auth", r"""_auth[ \t]{0,4}=[ \t]{0,4}["']?(?P<secret>[A-Za-z0-9+/=]{8,}+)"""),
    ("bearer-token", "bearer", r"""(?i:bearer)[ \t]{1,4}(?=[^\s"',;]{0,80}[0-9])(?P<secret>[A-Za-z0-9._~+/=-]{16,}+)"""),
    ("cookie", "cookie", _COOKIE_NAME + r"""(?P<secret>[\w.%+-]{1,100}+=[^\r\n"'`\\]{4,}+)"""),
    ("password", "machine", r"machine\s{1,9}\S{1,200}+\s{1,9}login\s{1,9}\S{1,200}+\s{1,9}password\s{1,9}(?P<secret>\S++)"),
    ("password", "curl", r"""curl(?:(?!curl)[^\n]){0,300}?\s(?:-u|--user)[ =]?["']?[^\s:"'$`]{1,100}:(?P<secret>[^\s"'$`][^\s"'`]{2,}+)"""),
    ("password", "login", r"""login(?:(?!login)[^\n]){0,200}?\s-p""" + _LOGIN_FLAG),
    ("password", "sshpass", r"sshpass[ \t]{1,4}-p" + _LOGIN_FLAG),
    ("password", "mysql", r"""mysql(?:dump|admin)?[ \t](?:(?!mysql)[^\n]){0,100}?-p(?P<secret>(?!ort|assword)[^\s"'$`=-][^\s"'`]{3,}+)"""),
)  # fmt: skip

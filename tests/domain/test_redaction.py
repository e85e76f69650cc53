"""Redaction: every shape in every usual place, precision on ordinary lines, known values in any spelling, hostile input.

Samples are put together at run time, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cicd_agents.domain import secret_shapes
from cicd_agents.domain.redaction import KINDS, Redactor, redact

UUID = "-".join(("1b9d6bcd", "bbfd", "4b2d", "9b5d", "ab8dfbbd4bed"))
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYzz90" + "Kq4+Lm"


def mix(length: int) -> str:
    return ("a1B2c3D4e5F6" * 60)[:length]


def upper(length: int) -> str:
    return ("A1B2C3D4E5F6" * 20)[:length]


def hexes(length: int) -> str:
    return ("0a1b2c3d4e5f6789" * 20)[:length]


# (kind, prefixes, what follows)
PREFIXED = [
    ("github-token", "ghp_ gho_ ghu_ ghr_ ghs_ github_pat_", mix(40)),
    ("github-token", "ghs_", "12345_eyJhbGciOiJS." + mix(200) + "." + mix(80) + "-_x"),
    ("gitlab-token", "glpat- gldt- glrt- glrtr- glptt- glft- glimt- glagent- gloas- glsoat- glffct- glwt- GR1348941", mix(20)),
    ("gitlab-token", "glcbt-", "64_" + mix(20)),
    ("gitlab-token", "glpat-", mix(27) + ".01." + "0a1b2c3d4"),
    ("aws-key", "AKIA ASIA ABIA ACCA", upper(16)),
    ("aws-session-token", "IQoJb3JpZ2luX2 FwoGZXIvYXdz", mix(200)),
    ("aws-bedrock-key", "bedrock-api-key- ABSK", mix(132)),
    ("google-api-key", "AIza", mix(35)),
    ("google-api-key", "AQ.Ab", mix(45)),
    ("google-oauth-secret", "GOCSPX-", mix(28)),
    ("google-oauth-token", "ya29.", mix(100)),
    ("google-refresh-token", "1//0", mix(60)),
    ("google-hmac-key", "GOOG1E", upper(55)),
    ("slack-token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe.xoxb- xoxe.xoxp- xapp- xwfp-", "1234567890-1234567890-" + mix(24)),
    ("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_", mix(24)),
    ("stripe-webhook-secret", "whsec_", mix(32)),
    ("twilio-key", "SK", hexes(32)),
    ("twilio-sid", "AC", hexes(32)),
    ("sendgrid-key", "SG.", mix(22) + "." + mix(43)),
    ("brevo-key", "xkeysib- xsmtpsib-", hexes(64) + "-" + mix(16)),
    ("mailgun-key", "key-", hexes(32)),
    ("npm-token", "npm_", mix(36)),
    ("pypi-token", "pypi-Ag", "EIcHlwaS5vcmc" + mix(120)),
    ("rubygems-key", "rubygems_", hexes(48)),
    ("clojars-token", "CLOJARS_", hexes(60)),
    ("nuget-key", "oy2", hexes(43)),
    ("crates-token", "cio", mix(32)),
    ("docker-hub-token", "dckr_pat_ dckr_oat_", mix(27)),
    ("artifactory-key", "AKCp", mix(69)),
    ("artifactory-token", "cmVmdGtu", mix(56)),
    ("vault-token", "hvs. hvb. hvr.", mix(90)),
    ("vault-token", "s.", mix(24)),
    ("new-relic-key", "NRAK-", upper(27)),
    ("new-relic-key", "NRII- NRIQ- NRSP- NRRA-", mix(32)),
    ("sentry-token", "sntrys_", mix(120)),
    ("sentry-token", "sntryu_", hexes(64)),
    ("grafana-token", "glsa_", mix(32) + "_" + hexes(8)),
    ("grafana-token", "glc_", "eyJvIjoi" + mix(80)),
    ("grafana-token", "eyJrIjoi", mix(80)),
    ("cloudflare-tunnel-token", "eyJhIjoi", mix(160)),
    ("cloudflare-token", "cfk_ cfut_ cfat_", mix(48)),
    ("cloudflare-origin-key", "v1.0-", hexes(24) + "-" + hexes(146)),
    ("heroku-key", "HRKU-", "AA" + mix(58)),
    ("digitalocean-token", "dop_v1_ doo_v1_ dor_v1_", hexes(64)),
    ("anthropic-key", "sk-ant-", "api03-" + mix(93) + "-" + mix(6)),
    ("openai-key", "sk-proj- sk-svcacct- sk-admin- sk-None-", mix(74) + "T3BlbkFJ" + mix(74)),
    ("openai-key", "sk-", mix(20) + "T3BlbkFJ" + mix(20)),
    ("openrouter-key", "sk-or-v1-", hexes(64)),
    ("langfuse-key", "sk-lf-", UUID),
    ("langsmith-key", "lsv2_pt_ lsv2_sk_", hexes(32) + "_" + hexes(10)),
    ("groq-key", "gsk_", mix(52)),
    ("xai-key", "xai-", mix(80)),
    ("perplexity-key", "pplx-", mix(48)),
    ("nvidia-key", "nvapi-", mix(64)),
    ("pinecone-key", "pcsk_", mix(50)),
    ("elevenlabs-key", "sk_", hexes(48)),
    ("huggingface-token", "hf_", mix(34)),
    ("replicate-token", "r8_", mix(37)),
    ("databricks-token", "dapi", hexes(32)),
    ("shopify-token", "shpat_ shpca_ shppa_ shpss_", hexes(32)),
    ("square-token", "sq0atp- sq0csp- sq0idp-", mix(43)),
    ("square-token", "EAAA", mix(60)),
    ("facebook-token", "EAAC", mix(120)),
    ("linear-key", "lin_api_ lin_oauth_", mix(40)),
    ("notion-token", "ntn_", "12345678901" + mix(35)),
    ("notion-token", "secret_", mix(43)),
    ("atlassian-token", "ATATT3 ATCTT3 ATSTT3", "xFfGF0" + mix(180) + "=" + upper(8)),
    ("bitbucket-app-password", "ATBB", mix(32)),
    ("doppler-token", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", mix(43)),
    ("pulumi-token", "pul-", hexes(40)),
    ("snyk-token", "snyk_uat. snyk_sat.", mix(60)),
    ("sonar-token", "sqp_ squ_ sqa_", hexes(40)),
    ("age-secret-key", "AGE-SECRET-KEY-1 AGE-SECRET-KEY-PQ-1", upper(58)),
    ("circleci-token", "CCIPAT_ CCIPRJ_", mix(22) + "_" + hexes(40)),
    ("buildkite-token", "bkua_ bkat_ bkct_", mix(40)),
    ("vercel-token", "vcp_ vci_ vca_ vcr_ vck_", mix(56)),
    ("netlify-token", "nfp_ nfc_ nfo_ nfu_ nfb_", mix(36)),
    ("supabase-token", "sbp_", hexes(40)),
    ("supabase-token", "sb_secret_", mix(31)),
    ("planetscale-token", "pscale_tkn_ pscale_oauth_ pscale_pw_", mix(43)),
    ("fly-token", "FlyV1 ", "fm2_" + mix(120)),
    ("dynatrace-token", "dt0c01.", upper(24) + "." + upper(64)),
    ("postman-key", "PMAK-", hexes(24) + "-" + hexes(34)),
    ("contentful-token", "CFPAT-", mix(43)),
    ("figma-token", "figd_ figu_", mix(40)),
    ("tailscale-key", "tskey-", "auth-" + mix(17) + "-" + mix(32)),
    ("sourcegraph-token", "sgp_", hexes(40)),
    ("launchdarkly-key", "sdk- api-", UUID),
    ("1password-token", "ops_eyJ", mix(200)),
    ("plaid-token", "access-sandbox- access-production- access-development-", UUID),
    ("resend-key", "re_", mix(8) + "_" + mix(24)),
    ("octopus-key", "API-", upper(28)),
    ("private-key", "LS0tLS1CRUdJTi", "BSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF" + mix(90)),
]
TOKENS = [(kind, prefix.replace("FlyV1", "FlyV1 ") + body) for kind, prefixes, body in PREFIXED for prefix in prefixes.split()]

# Shapes without a telling prefix at their beginning.
TOKENS += [
    ("jwt", "eyJ" + mix(33) + ".eyJ" + mix(60) + "." + mix(43)),
    ("azure-client-secret", "abc8Q~" + mix(34)),
    ("azure-devops-token", mix(76) + "AZDO" + mix(4)),
    ("azure-ai-key", mix(52) + "JQQJ99" + "BAC" + mix(23)),
    ("terraform-cloud-token", mix(14) + ".atlasv1." + mix(67)),
    ("mailchimp-key", hexes(32) + "-us12"),
    ("telegram-token", "123456789" + ":AA" + mix(33)),
    ("new-relic-key", hexes(36) + "NRAL"),
]

# (kind, text with the secret between « and »)
PLACED = [
    ("aws-key", "«AKIA" + upper(16) + "," + AWS_SECRET + "»"),
    ("azure-storage-key", "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=«" + mix(86) + "==»;EndpointSuffix=core.windows.net"),
    ("azure-shared-access-key", "Endpoint=sb://x.net/;SharedAccessKeyName=root;SharedAccessKey=«" + mix(43) + "=»"),
    ("url-signature", "https://x.blob.core.windows.net/logs/1.txt?sv=2025&sig=«" + mix(40) + "%3D»&se=2026"),
    ("url-signature", "https://b.s3.amazonaws.com/k?X-Amz-Date=20260101&X-Amz-Signature=«" + hexes(64) + "»"),
    ("slack-webhook", "https://hooks.slack.com/services/«T0000/B0000/" + mix(24) + "»"),
    ("discord-webhook", "https://discord.com/api/webhooks/123456789012345678/«" + mix(68) + "»"),
    ("teams-webhook", "https://acme.webhook.office.com/«webhookb2/" + UUID + "@" + UUID + "/IncomingWebhook/" + hexes(32) + "»"),
    ("zapier-webhook", "https://hooks.zapier.com/hooks/catch/«123456/abcdef/»"),
    ("docker-auth", '{"auths": {"ghcr.io": {"auth": "«' + base64.b64encode(b"bob:s3cretpw").decode() + '»"}}}'),
    ("npm-auth", "//registry.example/:_auth=«" + base64.b64encode(b"bob:s3cretpw").decode() + "»"),
    ("token", "//registry.example/:_authToken=«" + hexes(36) + "»"),
    ("bearer-token", "sent Bearer «" + mix(32) + "» to the host"),
    ("bearer-token", "> Authorization: Bearer «" + mix(20) + "»"),
    ("authorization", "curl -H 'authorization: token «" + hexes(40) + "»' https://x.example"),
    ("authorization", "http.extraheader=AUTHORIZATION: basic «" + base64.b64encode(b"x:" + hexes(20).encode()).decode() + "»"),
    ("authorization", '{"Proxy-Authorization": "Basic «' + base64.b64encode(b"bob:s3cretpw").decode() + '»"}'),
    ("cookie", "Cookie: «session=" + mix(20) + "; theme=dark»"),
    ("cookie", "< set-cookie: «sid=" + mix(20) + "; Path=/; HttpOnly»"),
    ("url-password", "git clone https://bob:«hunter2»@git.example/x.git"),
    ("url-password", "postgres://app:«p@ss-w0rd»@db.example:5432/app"),
    ("url-password", "amqp://app:«pa/ss#w0rd»@mq.example/vhost"),
    ("url-password", "redis://:«hunter2»@cache:6379"),
    ("url-token", "fetch https://«" + hexes(32) + "»@o1.ingest.sentry.io/42"),
    ("password", "export DB_PASSWORD=«hunter2»"),
    ("password", 'psql: password="«two words»" given'),
    ("password", "Server=db;User Id=sa;Password=«S3cr;et!»;Encrypt=true"),
    ("password", "  password: «postgres»\n"),
    ("password", "mysqldump --password «hunter2» db"),
    ("password", "<password>«hunter2»</password>"),
    ("password", '<add key="ClearTextPassword" value="«hunter2»" />'),
    ("password", "- name: DB_PASSWORD\n  value: «hunter2»\n"),
    ("password", "machine git.example login bob password «hunter2»"),
    ("password", "curl -s -u bob:«hunter2» https://x.example"),
    ("password", "docker login -u bob -p «hunter2!» registry.example"),
    ("password", "sshpass -p «hunter2!» ssh host"),
    ("password", "mysql -uroot -p«hunter2» app"),
    ("password", "export X_PASSWORD='«ab'\\''cdef»'"),
    ("token", "Jenkins-Crumb: «" + hexes(64) + "»"),
    ("token", "JENKINS_API_TOKEN=«11" + hexes(32) + "»"),
    ("token", "SNYK_TOKEN=«" + UUID + "»"),
    ("token", "PRIVATE-TOKEN: «" + mix(20) + "»"),
    ("token", "https://x.example/a?access_token=«" + mix(24) + "»&page=2"),
    ("token", '["deploy", "--token", "«' + mix(16) + '»", "--fast"]'),
    ("key", "DD_API_KEY=«" + hexes(32) + "»"),
    ("key", '{"apiKey":"«' + mix(16) + '»"}'),
    ("key", "Fastly-Key: x\nfastly api key = «" + mix(32) + "»"),
    ("secret", "aws_secret_access_key = «" + AWS_SECRET + "»"),
    ("secret", "client_secret: «" + mix(18) + "»"),
    ("secret", "SECRET_KEY_BASE=«" + hexes(128) + "»"),
    ("secret", '\\"secret\\":\\"«' + mix(18) + '»\\"'),
]

PEM_BODY = "\n".join([mix(64)] * 4)
KEY_LABELS = ("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK")


def pem(label: str, body: str = PEM_BODY, separator: str = "\n") -> str:
    return separator.join(("-----BEGIN " + label + "-----", *body.split("\n"), "-----END " + label + "-----"))


def marker(kind: str) -> str:
    return f"[redacted:{kind}]"


class TestShapes:
    @pytest.mark.parametrize(("kind", "secret"), TOKENS)
    @pytest.mark.parametrize(
        "frame",
        [
            "{}",
            "export MY_VALUE={}",
            '{{"x": "{}", "y": 1}}',
            "https://x.example/p?x={}&y=1",
            'log: "first line\\n{}\\nlast line"',
            "\x1b[32m{}\x1b[0m ok",
        ],
    )
    def test_every_token_is_hidden_wherever_it_stands(self, kind: str, secret: str, frame: str) -> None:
        assert redact(frame.format(secret)) == frame.format(marker(kind))

    @pytest.mark.parametrize(("kind", "text"), PLACED)
    def test_a_secret_is_hidden_and_its_surroundings_stay(self, kind: str, text: str) -> None:
        assert redact(text.replace("«", "").replace("»", "")) == re.sub("«.*»", marker(kind), text)

    def test_every_row_of_the_catalogue_has_a_sample(self) -> None:
        texts = [secret for _, secret in TOKENS] + [text.replace("«", "").replace("»", "") for _, text in PLACED]
        rows = [(prefix, re.escape(prefix) + rest) for _, prefix, rest in (*secret_shapes.DISTINCTIVE, *secret_shapes.AT_WORD_START)]
        rows += [(hint, pattern) for _, hint, pattern in secret_shapes.IN_CONTEXT]
        assert [hint for hint, pattern in rows if not any(re.search(pattern, text) for text in texts)] == []

    def test_every_kind_is_tested(self) -> None:
        tested = {kind for kind, _ in (*TOKENS, *PLACED)} | {"known-value"}
        assert set(KINDS) == tested

    @pytest.mark.parametrize("label", KEY_LABELS)
    @pytest.mark.parametrize("separator", ["\n", "\\n", "\r\n", "\n    "])
    def test_private_key_blocks_become_one_marker(self, label: str, separator: str) -> None:
        assert redact("before\n" + pem(label, separator=separator) + "\nafter") == "before\n" + marker("private-key") + "\nafter"

    def test_service_account_json(self) -> None:
        text = json.dumps({"type": "service_account", "private_key": pem("PRIVATE KEY"), "client_email": "a@b.iam.example"})
        assert json.loads(redact(text))["private_key"] == marker("private-key")

    def test_a_key_whose_end_was_cut_off(self) -> None:
        stamp = "2026-01-01T00:00:00.0000000Z "
        text = "\n".join(stamp + line for line in ["-----BEGIN " + "RSA PRIVATE KEY-----", *[mix(64)] * 3, "make: *** [deploy] Error 1"])
        assert redact(text) == stamp + marker("private-key") + "\n" + stamp + "make: *** [deploy] Error 1"

    def test_two_keys_are_two_markers(self) -> None:
        text = pem("PRIVATE KEY") + "\nordinary line\n" + pem("EC PRIVATE KEY")
        assert redact(text) == marker("private-key") + "\nordinary line\n" + marker("private-key")

    @pytest.mark.parametrize("label", ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])
    def test_base64_of_a_pem_key(self, label: str) -> None:
        encoded = base64.b64encode(pem(label).encode()).decode()
        assert redact(f"client-key-data: {encoded}\n") == f"client-key-data: {marker('private-key')}\n"

    def test_count_is_the_number_of_secrets(self) -> None:
        text = "password=hunter2 and ghp_" + mix(36) + " and https://a:b1c2d3@h.example"
        assert Redactor().redact(text).count == 3
        assert Redactor().redact("nothing here").count == 0

    def test_the_most_telling_kind_names_an_overlap(self) -> None:
        assert redact("token=ghp_" + mix(36) + "!x.") == f"token={marker('github-token')}."

    @pytest.mark.parametrize("break_", ["\x1b[0m", "\x1b[01;31m\x1b[K", "\u200b", "\u00ad", "\u202e", "\x00", "\x1b]8;;http://x\x07"])
    def test_invisible_characters_do_not_split_a_secret(self, break_: str) -> None:
        secret = "ghp_" + mix(18) + break_ + mix(18)
        assert redact(f"a {secret} b") == f"a {marker('github-token')} b"

    def test_a_secret_inside_a_control_sequence(self) -> None:
        assert "ghp_" not in redact("\x1b]0;ghp_" + mix(36) + "\x07title")


ORDINARY = [
    "HEAD is now at " + hexes(40) + " Merge pull request #12",
    "commit " + hexes(40),
    "Digest: sha256:" + hexes(64),
    "resolved docker.io/library/python@sha256:" + hexes(64),
    "uses: docker://alpine:3.20@sha256:" + hexes(64),
    '"integrity": "sha512-' + mix(86) + '==",',
    '    "integrity" "sha1-' + mix(27) + '="',
    "    --hash=sha256:" + hexes(64) + " \\",
    "github.com/pkg/errors v0.9.1 h1:" + mix(43) + "=",
    "request id " + UUID + " failed",
    "Caused by: org.springframework.beans.factory.support.AbstractAutowireCapableBeanFactory.createBean",
    "com.example.security.token.TokenAuthenticationFilterTest > rejectsExpiredToken() FAILED",
    "--- FAIL: TestPasswordReset (0.02s)",
    "--- PASS: TestToken (0.00s)",
    "tests/auth/test_password.py::test_reset_token[expired-token] PASSED",
    "/home/runner/work/app/app/node_modules/.pnpm/@babel+core@7.24.0/node_modules/@babel/core/lib/index.js:12:3",
    "SyntaxError: Unexpected token: identifier (foo123bar456)",
    "SyntaxError: Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
    "error: expected one of `!` or `::`, found reserved token: `MatchArmArrow`",
    "##[group]GITHUB_TOKEN Permissions",
    "  token: ***",
    "  github-token: ${{ secrets.GITHUB_TOKEN }}",
    "  persist-credentials: false",
    "  id-token: write",
    "export NPM_TOKEN=$NPM_TOKEN",
    "curl -u $USER:$PASSWORD https://x.example",
    'DB_PASSWORD="${DB_PASSWORD:-}"',
    "PASSWORD=$(cat /run/secrets/db)",
    "password: <your password here>",
    "password = null",
    "password: string;",
    "api_key: Optional[str] = None",
    'token = os.environ["TOKEN"]',
    "token = get_token(user)",
    "const secret = process.env.CLIENT_SECRET;",
    "login(user=user, password=password)",
    "passwd: password updated successfully",
    "passwd:         files systemd",
    "Invalid password: authentication failed for user",
    "$ export CODECOV_TOKEN=[secure]",
    "password = (sensitive value)",
    "private_key_path=/home/runner/.ssh/id_ed25519",
    "ssh_key: /home/runner/.ssh/id_ed25519",
    "secret: arn:aws:secretsmanager:eu-west-1:123456789012:secret:db",
    "imagePullSecrets: regcred",
    "secret: my-app-db-secret-2",
    "docker build --secret id=npmrc,src=/root/.npmrc .",
    "PWD=/home/runner/work/app",
    "max_tokens=4096 prompt_tokens: 1234567",
    "tokenizers==0.22.2",
    "Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089",
    "primary_key: user_id, sort_key=created_at1234",
    "Cache restored from key: Linux-node-" + hexes(64),
    "mail from jane.doe@example.com to ops@example.com",
    "fetch https://registry.example/@scope/pkg/-/pkg-1.0.0.tgz",
    "git@github.com:owner/repo.git and ssh://git@github.com:22/owner/repo.git",
    "http://localhost:8080/@vite/client and https://x.example:443/a@b",
    "https://$USER:$TOKEN@host.example/x and https://user:***@host.example",
    "docker run -u 1000:1000 -p 8080:8080 app",
    "-----BEGIN CERTIFICATE-----\n" + PEM_BODY + "\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\n" + PEM_BODY + "\n-----END PUBLIC KEY-----",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ" + mix(300) + " deploy@example",
    "at Object.<anonymous> (/app/src/secret-store.test.ts:14:9)",
    "task-" + hexes(32) + " risk-" + hexes(32),
    "Enter passphrase for key '/root/.ssh/id_rsa': ",
    "data: image/png;base64,iVBORw0KGgo" + mix(200),
    "expected a -----BEGIN " + "PRIVATE KEY----- line in the file",
    "missing Authorization: Bearer header",
    "authorization: required",
    "##[error]Bearer authentication is required by this registry",
    "Set cookie: disabled",
]


class TestPrecision:
    @pytest.mark.parametrize("line", ORDINARY)
    def test_ordinary_lines_stay_as_they_are(self, line: str) -> None:
        assert redact(line) == line


KNOWN = "Tr0ub4dor&3 'quoted' \"x\" \\ /é"
LETTERS = "correcthorsebattery"


class TestKnownValues:
    @pytest.mark.parametrize(
        "spelling",
        [
            KNOWN,
            json.dumps(KNOWN)[1:-1],
            json.dumps(KNOWN, ensure_ascii=False)[1:-1],
            json.dumps(json.dumps(KNOWN)[1:-1])[1:-1],
            "Tr0ub4dor%263%20%27quoted%27%20%22x%22%20%5C%20%2F%C3%A9",
            "Tr0ub4dor%263%20%27quoted%27%20%22x%22%20%5c%20%2f%c3%a9",
            "Tr0ub4dor%263+%27quoted%27+%22x%22+%5C+%2F%C3%A9",
            "Tr0ub4dor&3 '\\''quoted'\\'' \"x\" \\ /é",
            "Tr0ub4dor&3 'quoted' \\\"x\\\" \\\\ /é",
            "Tr0ub4dor\\&3\\ \\'quoted\\'\\ \\\"x\\\"\\ \\\\\\ /é",
            "Tr0ub4dor&amp;3 &#39;quoted&#39; &quot;x&quot; \\ /é",
            KNOWN.encode().hex(),
        ],
    )
    def test_each_spelling_is_hidden(self, spelling: str) -> None:
        assert redact(f"<{spelling}>", [KNOWN]) == f"<{marker('known-value')}>"

    @pytest.mark.parametrize("value", [KNOWN, LETTERS, "abcdef", "0123456", "ÄÖÜ?>~~"])
    @pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
    @pytest.mark.parametrize("after", ["", "1", "12", "123"])
    @pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
    def test_base64_at_every_alignment(self, value: str, before: str, after: str, encode: object) -> None:
        assert callable(encode)
        text = encode((before + value + after).encode()).decode()
        assert marker("known-value") in redact(text, [value])

    def test_a_multi_line_value_is_known_by_its_lines(self) -> None:
        value = "first-line-of-it\n}\nthird-line-of-it\n"
        text = "10:00 first-line-of-it\n10:00 }\n10:00 third-line-of-it"
        assert redact(text, [value]) == f"10:00 {marker('known-value')}\n10:00 }}\n10:00 {marker('known-value')}"

    def test_short_values_are_ignored(self) -> None:
        assert redact("a main true 12345", ["main", "true", "12345", "", "  a  "]) == "a main true 12345"

    def test_overlapping_values_are_hidden_as_one(self) -> None:
        assert redact("abcdefghij", ["abcdef", "cdefghij"]) == marker("known-value")

    def test_a_value_that_occurs_in_a_marker(self) -> None:
        once = redact("redacted token redacted", ["redacted", "password"])
        assert once == f"{marker('known-value')} token {marker('known-value')}"
        assert redact(once, ["redacted", "known-value"]) == once

    def test_the_values_are_not_shown_by_repr(self) -> None:
        assert LETTERS not in repr(Redactor((LETTERS,)))

    @given(st.text(max_size=30), st.text(max_size=30), st.text("abcXYZ019+/&=?%' \"\\$é", min_size=6, max_size=20))
    def test_a_known_value_never_stays(self, before: str, after: str, value: str) -> None:
        if len(value.strip()) >= 6:
            assert value.strip() not in redact(before + value + after, [value]).replace(marker("known-value"), "\0")


PIECES = st.one_of(
    st.sampled_from([secret for _, secret in TOKENS]),
    st.sampled_from([text.replace("«", "").replace("»", "") for _, text in PLACED]),
    st.sampled_from([marker(kind) for kind in KINDS] + ["[redacted:", "]", pem("PRIVATE KEY"), "-----BEGIN " + "PRIVATE KEY-----"]),
    st.sampled_from(["password", "token", "secret", "api_key", "Authorization", "--token", "cookie", "machine a login b password"]),
    st.sampled_from(["=", ":", ": ", " = ", '"', "'", "`", "\\", '\\"', " ", "\n", "\\n"]),
    st.sampled_from(["@", "://", "/", ";", ",", "&", "<", ">", "</", "%3D", "-u a:"]),
    st.sampled_from(["\x1b[0m", "\x1b]0;", "\x07", "\u200b", "\u0130", "\x1b[", "\x9b"]),
    st.text(max_size=12),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


class TestAlgebra:
    @given(TEXTS)
    @example("token=[redacted:jwt]tail")
    @example("[redacted:[redacted:jwt]password=x]")
    def test_redacting_twice_gives_the_same(self, text: str) -> None:
        once = redact(text)
        assert redact(once) == once

    @given(TEXTS, st.lists(st.text("abcdefgh=:[]redacted", min_size=6, max_size=9), max_size=3))
    def test_also_with_known_values(self, text: str, known: list[str]) -> None:
        once = redact(text + " ".join(known), known)
        assert redact(once, known) == once

    @given(TEXTS, st.sampled_from(TOKENS))
    def test_a_token_between_blanks_never_stays(self, text: str, token: tuple[str, str]) -> None:
        assert token[1] not in redact(f"{text} {token[1]} {text}")

    @given(TEXTS)
    def test_text_without_replacements_is_untouched(self, text: str) -> None:
        result = Redactor().redact(text)
        assert (result.count == 0) == (result.text == text)


BAITS = [
    "a", "0", "=", ":", "'", "\\", "$", "*", " ", "\n", "eyJ", "\\neyJ", "-eyJ", "eyJa.", "%3DeyJ", "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----", "-----END ", "password=", "token: ", "token='", "token=`", "--password ", "<password>",
    "password value ", "pass_", "secret=$", "secret='$$", "https://", "://a:", "://a:b", "https://a:b@", "x@", "curl ", "curl -u ",
    "login -p", "machine ", "machine a login ", "mysql -", "cookie:", "bearer ", "[redacted:", "[redacted:jwt]", "ghp_", "sk-", "AKIA",
    "SG.aaaaaaaaaaaaaaaaaaaa.", "\x1b[", "\x1b]", "\x1b[0m", "\x9b", "\u200b", "\u0130", "password=;a", "token=a.", "token=A_",
    "token=aA", "token='(.", "token=x(",
]  # fmt: skip


class TestHostileInput:
    @pytest.mark.parametrize("bait", BAITS)
    def test_a_long_line_of_bait_is_finished(self, bait: str) -> None:
        text = bait * (150_000 // len(bait))
        assert redact(redact(text)) == redact(text)

    @pytest.mark.parametrize("start", ["password='", 'token="$', "secret=`", "https://u:", "Bearer ", "eyJ", "curl -u ", "cookie: a="])
    @pytest.mark.parametrize("filler", ["a", "$", "a.", "A_", "*", "(", "aA", "/a", "1"])
    def test_a_long_value_is_finished(self, start: str, filler: str) -> None:
        redact(start + filler * 50_000)


PIECES = st.sampled_from(
    [*"ab=: -\n", "\x1b[0m", *(f"-----{end} PRIVATE " + "KEY-----" for end in ("BEGIN", "END")), mix(30), "known-secret-value", "password"]
)


@given(st.lists(st.lists(PIECES, max_size=6).map("".join), max_size=8))
def test_lines_are_redacted_as_one_text_and_stay_as_many(lines: list[str]) -> None:
    redactor = Redactor(("known-secret-value",))
    shown = redactor.redact_lines(lines)
    assert len(shown) == len(lines)
    assert redactor.redact_lines(shown) == shown


def test_each_line_of_a_secret_of_several_lines_is_hidden() -> None:
    key = ["-----BEGIN RSA PRIVATE " + "KEY-----", "MIIEpAIBAAKCAQEA" * 3, "-----END RSA PRIVATE " + "KEY-----"]
    assert Redactor().redact_lines(["a", *key, "b"]) == ("a", *["[redacted:private-key]"] * 3, "b")

"""The look of the HTML report, and the policy that lets a browser load nothing else."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

# Light and dark follow the reader's system. Text has a contrast of at least 4.5 to 1 on its ground (WCAG 2.2, 1.4.3).
STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --card: #f6f8fa; --text: #1f2328; --quiet: #59636e; --line: #d1d9e0; --new: #0969da; --old: #bc4c00;
  --limit: #cf222e; --good: #1a7f37; --bad: #cf222e; --unknown: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --card: #161b22; --text: #e6edf3; --quiet: #9da7b1; --line: #30363d; --new: #58a6ff;
  --old: #f0883e; --limit: #ff7b72; --good: #56d364; --bad: #ff7b72; --unknown: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 40px; }
h1 { margin: 0; font-size: 22px; line-height: 1.3; overflow-wrap: anywhere; }
h2 { margin: 0 0 10px; font-size: 16px; }
section { margin-top: 26px; overflow-wrap: anywhere; }
ul, ol { margin: 0; padding-left: 22px; }
li { margin: 2px 0; }
p { margin: 6px 0; }
a { color: var(--new); }
.head { display: flex; gap: 14px; align-items: center; flex-wrap: wrap; padding-bottom: 14px; }
.verdict { color: #ffffff; font-weight: 700; font-size: 20px; padding: 5px 16px; border-radius: 6px; letter-spacing: .02em; }
.verdict.go { background: #1a7f37; } .verdict.no-go { background: #cf222e; } .verdict.hold { background: #8a5a00; }
.decision { background: var(--card); border: 1px solid var(--line); border-left-width: 6px; border-radius: 6px; padding: 12px 16px; margin: 0; }
.decision.go { border-left-color: #1a7f37; } .decision.no-go { border-left-color: #cf222e; } .decision.hold { border-left-color: #9a6700; }
.decision p:first-child { margin-top: 0; font-size: 16px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 10px 18px; margin: 18px 0 0; }
.facts div { min-width: 0; } .facts dt { color: var(--quiet); font-size: 13px; } .facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); font-size: 13px; padding-bottom: 6px; }
th, td { padding: 7px 10px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--quiet); font-size: 13px; font-weight: 600; border-bottom-width: 2px; }
.number { text-align: right; white-space: nowrap; }
tbody th { font-weight: 600; }
.evidence { color: var(--quiet); font-size: 14px; }
.status { white-space: nowrap; font-weight: 600; } .pass .status { color: var(--good); } .fail .status { color: var(--bad); }
.inconclusive .status, .no-data .status { color: var(--unknown); }
.status small { display: block; font-weight: 400; color: var(--quiet); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 18px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 12px 12px 6px; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: 4px; display: flex; gap: 6px 16px; flex-wrap: wrap; }
.key { color: var(--quiet); font-weight: 400; font-size: 13px; } .key::before { content: ""; display: inline-block; width: 18px; vertical-align: middle;
  margin-right: 5px; border-top: 3px solid; }
.key.new::before { border-color: var(--new); } .key.old::before { border-top-style: dashed; border-color: var(--old); }
.chart { width: 100%; height: auto; display: block; } .chart text { fill: var(--quiet); font-size: 12px; }
.chart .grid { stroke: var(--line); stroke-width: 1; } .chart .axis { stroke: var(--quiet); stroke-width: 1; }
.chart .value { text-anchor: end; dominant-baseline: middle; } .chart .time { text-anchor: middle; } .chart .zone { text-anchor: end; }
.chart polyline { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; } .chart .new { stroke: var(--new); }
.chart .old { stroke: var(--old); stroke-dasharray: 5 4; } .chart .limit { stroke: var(--limit); stroke-width: 1.6; stroke-dasharray: 2 3; }
.chart .limit-text { fill: var(--limit); text-anchor: end; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 0 28px; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px; overflow-x: auto; margin: 6px 0; }
code { font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
details { border-top: 1px solid var(--line); padding: 10px 0; overflow-wrap: anywhere; } details:last-of-type { border-bottom: 1px solid var(--line); }
summary { cursor: pointer; font-weight: 600; } details > :nth-child(2) { margin-top: 8px; }
.quiet, footer { color: var(--quiet); font-size: 13px; } footer { margin-top: 28px; }
@media print { details:not([open]) > * { display: block; } }
"""


def content_policy() -> str:
    """The Content-Security-Policy: nothing but our own style, known by its hash; no script, no image, no form, no other address."""
    digest = b64encode(sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"

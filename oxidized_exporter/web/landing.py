"""The landing page: plain HTML and CSS that work without scripts, on a phone and in the dark."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

from oxidized_exporter import __version__
from oxidized_exporter.config import DEFAULT_MODULE
from oxidized_exporter.web.state import METRICS_PATH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from oxidized_exporter.config import Config, TargetEntry
    from oxidized_exporter.web.state import Settings

_PROJECT: Final = "https://github.com/oxidized-exporter/oxidized_exporter"
_MOST_WITHOUT_INDEX: Final = 40  # targets that are found by scrolling
_MOST_SHOWN_MODULES: Final = 4  # links beside each other; more are folded

_STYLE: Final = """
:root {
  color-scheme: light dark;
  --back: #fff; --raised: #f4f6f8; --line: #d4dae1; --text: #1b232c; --muted: #55606d; --accent: #0b5cad;
  --on: #fff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12171d; --raised: #1b222a; --line: #37424e; --text: #e4e9ee; --muted: #a2aebb; --accent: #7ab8f5;
    --on: #10161c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 70rem; padding: 1.5rem 1rem 3rem; background: var(--back); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 1.6rem; line-height: 1.2; }
h1 small, h2 small { color: var(--muted); font-size: .9rem; font-weight: normal; white-space: nowrap; }
h2 { margin: 2rem 0 .6rem; font-size: 1.15rem; }
h3 { margin: 1rem 0 .2rem; font-size: 1rem; color: var(--muted); }
p { margin: .4rem 0; }
a { color: var(--accent); }
ul { list-style: none; margin: 0; padding: 0; }
code { font: .9em ui-monospace, monospace; }
.muted { color: var(--muted); }
form {
  display: grid; grid-template-columns: minmax(0, 1fr); gap: .8rem; align-items: end; padding: 1rem;
  background: var(--raised); border: 1px solid var(--line); border-radius: .5rem;
}
label { display: grid; grid-template-columns: minmax(0, 1fr); gap: .2rem; font-size: .9rem; color: var(--muted); }
input, select, button {
  width: 100%; min-height: 2.75rem; padding: 0 .7rem; font: inherit; color: var(--text); background: var(--back);
  border: 1px solid var(--muted); border-radius: .3rem;
}
.choice { grid-column: 1 / -1; display: flex; gap: .5rem; align-items: center; min-height: 1.5rem; }
.choice input { width: 1.2rem; min-height: 1.2rem; accent-color: var(--accent); }
::placeholder { color: var(--muted); opacity: .8; }
button { color: var(--on); background: var(--accent); border-color: var(--accent); font-weight: 600; cursor: pointer; }
a:focus-visible, input:focus-visible, select:focus-visible, button:focus-visible, summary:focus-visible {
  outline: 3px solid var(--accent); outline-offset: 2px;
}
.routes { display: grid; gap: .3rem 1.5rem; }
.routes li { display: grid; grid-template-columns: 6.5rem 1fr; gap: .5rem; align-items: baseline; }
.routes span { color: var(--muted); }
.index { display: flex; flex-wrap: wrap; gap: .3rem; }
.index a { min-width: 2.5rem; padding: .3rem; text-align: center; background: var(--raised); border-radius: .3rem; }
.targets li {
  display: grid; gap: .1rem 1rem; padding: .6rem 0; border-top: 1px solid var(--line);
  content-visibility: auto; contain-intrinsic-size: auto 5rem;
}
.links { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: baseline; }
.links a { padding: .2rem 0; }
.label {
  display: inline-block; margin-right: .3rem; padding: 0 .4rem; background: var(--raised);
  border: 1px solid var(--line); border-radius: .3rem; font-size: .85rem;
}
@media (min-width: 46rem) {
  form { grid-template-columns: minmax(0, 1fr) 14rem 8rem; }
  .routes { grid-template-columns: 1fr 1fr; }
  .targets li { grid-template-columns: 12rem minmax(0, 1fr) minmax(6rem, auto); align-items: baseline; }
  .links { justify-content: flex-end; max-width: 22rem; }
}
"""

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""The Content-Security-Policy of the page: its own style sheet, its own form, and nothing else."""


class _Linked(NamedTuple):
    """What each target has links to: its probe with each module, and the steps of one."""

    modules: Sequence[str]
    debug: bool


def landing_page(config: Config, *, settings: Settings) -> str:
    """Return the page: version, links, a form that probes, and the configured targets without a secret.

    All links are relative, so that they are right below any prefix of whatever stands in front.

    Args:
        config: whose targets and modules.
        settings: which routes there are, and what may be asked of them.
    """
    modules = (DEFAULT_MODULE, *sorted(name for name in config.modules if name != DEFAULT_MODULE))
    targets = sorted(config.targets.values(), key=_order)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>oxidized_exporter</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>oxidized_exporter <small>{escape(__version__)}</small></h1>
<p class="muted">Prometheus exporter for Oxidized. <a href="{_PROJECT}">Documentation</a></p>
</header>
<main>
{_form(targets, modules, debug=settings.enable_debug)}
<h2>Routes</h2>
{_routes(settings)}
<h2 id="targets">Targets <small>{len(targets)} configured</small></h2>
{_listed(targets, _Linked(modules, debug=settings.enable_debug), open_to_all=config.allows_any_url)}
</main>
</body>
</html>
"""


def _order(entry: TargetEntry) -> tuple[str, str]:
    return _initial(entry), entry.name.casefold()


def _initial(entry: TargetEntry) -> str:
    first = entry.name[0].upper()
    return "0-9" if first.isdigit() else first


def _form(targets: Iterable[TargetEntry], modules: Iterable[str], *, debug: bool) -> str:
    names = "".join(f'<option value="{escape(entry.name)}">{escape(entry.target.base)}</option>' for entry in targets)
    options = "".join(f"<option>{escape(name)}</option>" for name in modules)
    steps = '\n<label class="choice"><input type="checkbox" name="debug" value="true">Show the steps</label>'
    return f"""<h2>Probe</h2>
<form action="probe">
<label>Target: a name, or the URL of an Oxidized
<input name="target" list="names" required placeholder="http://oxidized.example.net:8888" autocapitalize="off"
 autocomplete="off" spellcheck="false"></label>
<datalist id="names">{names}</datalist>
<label>Module
<select name="module">{options}</select></label>
<button>Probe</button>{steps if debug else ""}
</form>"""


def _routes(settings: Settings) -> str:
    own = "of the exporter itself"
    told = {
        settings.metrics_path: f"the same as {METRICS_PATH}",
        METRICS_PATH: own if settings.single is None else f"of {settings.single.target.base}, and {own}",
        "/sd": "the targets, for http_sd_configs of Prometheus",
        "/config": "what runs, without its secrets",
        "/-/healthy": "200 while it runs",
        "/-/ready": "200 while it takes probes",
    }
    links = "".join(
        f'<li><a href="{escape(path[1:])}">{escape(path)}</a><span>{escape(what)}</span></li>\n'
        for path, what in told.items()
    )
    on = "POST or PUT reloads the configuration" if settings.enable_lifecycle else "off: needs --web.enable-lifecycle"
    return f"""<ul class="routes">
<li><code>/probe</code><span>metrics of an Oxidized, as the form asks for them</span></li>
{links}<li><code>/-/reload</code><span>{on}</span></li>
</ul>"""


def _listed(targets: Sequence[TargetEntry], linked: _Linked, *, open_to_all: bool) -> str:
    if not targets:
        who = (
            "Without targets and access.allow, any URL may be probed."
            if open_to_all
            else "Only what access.allow names may be probed."
        )
        return (
            f'<p>{who} <a href="{_PROJECT}/blob/main/docs/configuration.md">A configuration file</a> gives targets '
            "names, and says which others may be probed.</p>"
        )
    if len(targets) <= _MOST_WITHOUT_INDEX:
        return _list(targets, linked)
    groups = [(initial, list(entries)) for initial, entries in groupby(targets, key=_initial)]
    index = "".join(f'<a href="#{initial}">{initial}</a>' for initial, _ in groups)
    lists = "\n".join(
        f'<h3 id="{initial}">{initial} <a href="#targets" aria-label="back to the index">↑</a></h3>\n'
        f"{_list(entries, linked)}"
        for initial, entries in groups
    )
    return f'<nav class="index" aria-label="Targets by initial">{index}</nav>\n{lists}'


def _list(targets: Iterable[TargetEntry], linked: _Linked) -> str:
    return '<ul class="targets">\n' + "".join(_item(entry, linked) for entry in targets) + "</ul>"


def _item(entry: TargetEntry, linked: _Linked) -> str:
    labels = "".join(
        f'<span class="label">{escape(name)}={escape(value)}</span>' for name, value in entry.labels.items()
    )
    own, *others = sorted(linked.modules, key=lambda name: name != entry.module)
    if not others:
        links = _probe(entry, own, "probe")
    else:
        first = _probe(entry, own, f"probe: {own}")
        further = " ".join(_probe(entry, name, name) for name in others)
        folded = f"<details><summary>{len(others)} other modules</summary>{further}</details>"
        links = f"{first} {further if len(linked.modules) <= _MOST_SHOWN_MODULES else folded}"
    if linked.debug:
        links += " " + _probe(entry, own, "steps", debug="true")
    return (
        f"<li><strong>{escape(entry.name)}</strong>"
        f'<div><span class="muted">{escape(entry.target.base)}</span> {labels}</div>'
        f'<div class="links">{links}</div></li>\n'
    )


def _probe(entry: TargetEntry, module: str, text: str, **more: str) -> str:
    asked = urlencode({"target": entry.name, "module": module, **more})
    return f'<a href="probe?{escape(asked)}">{escape(text)}</a>'

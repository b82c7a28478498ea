"""What came out of an experiment: `report.html`, `results.csv`, `results.json` and figures.

The report is one file that needs nothing else: pictures are inside it, and there is no script. It tells what a paper
reports, what was chosen and what was measured.
"""

from __future__ import annotations

import base64
import csv
import io
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from tfstyle.core.version import VERSION
from tfstyle.evaluation import metrics
from tfstyle.experiments import figures
from tfstyle.experiments.base import AGREES, DISAGREES, UNTESTED, Experiment, Finding, Outcome
from tfstyle.experiments.folder import Folder
from tfstyle.images.picture import Picture

_HIDDEN = ("by_judge",)  # of rows: in results.json only
_MARKS = {AGREES: "good", DISAGREES: "bad", UNTESTED: "open", "": "open"}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-size: 13px; } th, td { padding: .25rem .6rem; text-align: left; }
td { border-top: 1px solid #ddd; vertical-align: top; } th { border-bottom: 2px solid #999; vertical-align: bottom; }
td.number { text-align: right; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
img { max-width: 100%; height: auto; } figure { margin: 1rem 0; } figcaption, .small { color: #555; font-size: 13px; }
.tag { border-radius: .6rem; padding: .05rem .55rem; font-size: 12px; white-space: nowrap; background: #eee; }
.reported { background: #dbe8fb; } .chosen { background: #fbeccb; } .measured { background: #e6e6e6; }
.good { background: #d3efd6; } .bad { background: #f8d5d2; } .open { background: #eee; }
.warning { background: #fff4d6; border-left: 4px solid #e0a800; padding: .5rem .8rem; margin: .6rem 0; }
li { margin: .5rem 0; }
"""


def write(experiment: Experiment, outcome: Outcome, place: Folder, seconds: float) -> None:
    """Write everything into the experiment's folder."""
    found = experiment.findings(outcome)
    made = {name: figures.png(figure) for name, figure in experiment.figures(outcome).items()}
    for name, data in made.items():
        place.write(f"figures/{name}.png", data)
    place.write("results.csv", table_csv(outcome.rows))
    place.write("results.json", _results(experiment, outcome, found, seconds))
    place.write("report.html", html(experiment, outcome, found, made))


def table_csv(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each run; lists are joined by semicolons."""
    file = io.StringIO()
    writer = csv.DictWriter(file, _columns(rows), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(
        {key: ";".join(map(str, value)) if isinstance(value, list) else value for key, value in row.items()}
        for row in rows
    )
    return file.getvalue()


def table_text(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """A table to read in a terminal, one line for each run."""
    cells = [[_number(row.get(column)) for column in columns] for row in rows]
    names = [_heading(column) for column in columns]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    right = [bool(rows) and isinstance(rows[0].get(column), int | float) for column in columns]
    lines = [
        "  ".join(f"{cell:>{width}}" if flush else f"{cell:{width}}" for cell, width, flush in zip(
            line, widths, right, strict=True)).rstrip()
        for line in (names, *cells)
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def findings_text(found: Iterable[Finding]) -> str:
    """The findings as lines for a terminal."""
    return "".join(
        f"{finding.verdict or 'found'}: {finding.claim.text + ' — ' if finding.claim else ''}{finding.evidence}\n"
        for finding in found
    )


def html(experiment: Experiment, outcome: Outcome, found: Sequence[Finding], made: dict[str, bytes]) -> str:
    """The report as one page."""
    setup = outcome.setup
    size, steps = f"{setup.size} pixels", f"{setup.steps} steps"
    parts = [
        f"<h1>{escape(experiment.title)}</h1>",
        f'<p class="small">{escape(experiment.reference)}</p>' if experiment.reference else "",
        f"<p>{len(outcome.runs)} runs at {size}, {steps}, seed {setup.seed}. "
        'Marked are what the paper <span class="tag reported">reported</span>, what was '
        '<span class="tag chosen">chosen</span> here, and what was <span class="tag measured">measured</span>.</p>',
    ]
    if setup.quick:
        parts.append(_warning(f"A quick trial at {size}, {steps}: it shows that everything runs, not what is true."))
    if untrained := [name for name in outcome.networks if not setup.networks.trained(name)]:
        parts.append(
            _warning(
                f"{', '.join(untrained)}: random weights, seed {setup.seed}, for want of ImageNet's. Nothing that is "
                f"shown of {'them' if len(untrained) > 1 else 'it'} says anything about the trained network."
            )
        )
    if found:
        parts += ["<h2>Findings</h2>", "<ul>", *(_finding(each) for each in found), "</ul>"]
    used = (*setup.contents, *setup.styles)
    parts.append("<h2>Pictures that were used</h2>")
    parts.append("".join(_caption(picture) if setup.private else _thumbnail(picture) for picture in used))
    for name, data in made.items():
        source = base64.b64encode(data).decode()
        words = escape(name.replace("_", " ").replace("-", " "))
        parts.append(
            f'<figure><img src="data:image/png;base64,{source}" alt="{words}"><figcaption>{words} '
            f'<span class="tag measured">measured</span></figcaption></figure>'
        )
    facts = list(dict.fromkeys(key for run in outcome.runs for key in run.facts))
    parts += [
        '<h2>Results <span class="tag measured">measured</span></h2>',
        f'<div class="wide">{_table(outcome.rows, [*facts, "weights", "judges", *experiment.columns])}</div>',
        '<p class="small">' + escape(_meanings()) + " results.csv and results.json have all of it.</p>",
    ]
    if constants := experiment.constants(setup):
        rows = [
            f'<tr><td>{escape(each.name)}</td><td>{escape(each.value)}</td><td><span class="tag {each.kind}">'
            f"{each.kind}</span></td><td>{escape(each.source)}</td></tr>"
            for each in constants
        ]
        parts += ["<h2>Settings</h2>", "<table><tr><th>setting<th>value<th><th>where from</tr>", *rows, "</table>"]
    parts += ["<h2>Weights and versions</h2>", f"<ul>{''.join(_weights(outcome))}</ul>", f"<p>{_versions()}</p>"]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(experiment.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _results(experiment: Experiment, outcome: Outcome, found: Sequence[Finding], seconds: float) -> dict[str, Any]:
    setup = outcome.setup
    return {
        "experiment": experiment.name,
        "title": experiment.title,
        "reference": experiment.reference,
        "quick": setup.quick,
        "size": setup.size,
        "steps": setup.steps,
        "seed": setup.seed,
        "contents": list(setup.contents),
        "styles": list(setup.styles),
        "weights": {name: setup.networks.record(name) for name in outcome.networks},
        "findings": [
            {
                "reported": asdict(each.claim) if each.claim else None,
                "verdict": each.verdict,
                "measured": each.evidence,
            }
            for each in found
        ],
        "constants": [asdict(each) for each in experiment.constants(setup)],
        "measurements": outcome.measurements,
        "rows": outcome.rows,
        "versions": _versions(),
        "last_seconds": round(seconds, 1),
    }


def _columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [key for key in dict.fromkeys(key for row in rows for key in row) if key not in _HIDDEN]


def _heading(column: str) -> str:
    metric = metrics.METRICS.get(column)
    name = column.replace("_", " ")
    return f"{name} {metric.arrow}" if metric else f"{name} ↑" if column == "style_reached" else name


def _number(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, int) or abs(value) >= 1e6:
        return f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"


def _table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    head = "".join(f"<th>{escape(_heading(column))}" for column in columns)
    lines = [
        "<tr>"
        + "".join(
            f"<td{' class=number' if isinstance(row.get(column), int | float) else ''}>"
            f"{escape(_number(row.get(column)))}</td>"
            for column in columns
        )
        + "</tr>"
        for row in rows
    ]
    return f"<table><tr>{head}</tr>\n" + "\n".join(lines) + "\n</table>"


def _meanings() -> str:
    known = "; ".join(f"{metric.name.replace('_', ' ')}: {metric.meaning}" for metric in metrics.METRICS.values())
    return (
        "Style reached: the share of the way from the photograph (0) to the painting (1), over Gram distance, MMD "
        "and Wasserstein distance; every score is the mean over the judges, networks that did not paint the picture. "
        f"{known}; color shift: colours moved from the photograph's, in ΔE."
    )


def _finding(finding: Finding) -> str:
    said = ""
    if finding.claim:
        said = (
            f'<span class="tag reported">reported</span> {escape(finding.claim.text)} '
            f'<span class="small">({escape(finding.claim.source)})</span><br>'
        )
    verdict = f'<span class="tag {_MARKS[finding.verdict]}">{finding.verdict}</span> ' if finding.verdict else ""
    return f'<li>{said}<span class="tag measured">measured</span> {verdict}{escape(finding.evidence)}</li>'


def _warning(words: str) -> str:
    return f'<p class="warning">{escape(words)}</p>'


def _thumbnail(picture: Picture) -> str:
    from PIL import Image

    from tfstyle.images.picture import quantized

    small = picture.resized(160) if max(picture.rgb.shape[:2]) > 160 else picture
    file = io.BytesIO()
    Image.fromarray(quantized(small.rgb, 8)).save(file, "JPEG", quality=88)
    source, name = base64.b64encode(file.getvalue()).decode(), escape(picture.name)
    return (
        f'<figure style="display: inline-block; margin-right: 1rem"><img src="data:image/jpeg;base64,{source}" '
        f'alt="{name}"><figcaption>{name}</figcaption></figure>'
    )


def _caption(picture: Picture) -> str:
    return f"<p>{escape(picture.name)}, not shown; SHA-256 {picture.sha256}</p>"


def _weights(outcome: Outcome) -> list[str]:
    lines = []
    for name in outcome.networks:
        record = outcome.setup.networks.record(name)
        file = f", {record['file']}, SHA-256 {record['sha256']}" if "sha256" in record else ""
        lines.append(f"<li>{escape(name)}: {escape(record['name'])} ({escape(record['source'] + file)})</li>")
    return lines


def _versions() -> str:
    from importlib.metadata import version

    found = {name: version(name) for name in ("tensorflow", "keras", "numpy")}
    return ", ".join(
        f"{name} {number}"
        for name, number in {"tfstyle": VERSION, **found, "Python": platform.python_version()}.items()
    )

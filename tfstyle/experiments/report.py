"""The results of an experiment as files: `report.html`, `results.csv`, `results.json` and figures.

The report is one file that needs nothing else. It tells apart what a paper reports, what was chosen and what was
measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from PIL import Image

from tfstyle.core import html, table
from tfstyle.core.html import Markup, escape, tag
from tfstyle.core.version import versions
from tfstyle.evaluation import metrics
from tfstyle.experiments import figures
from tfstyle.experiments.base import AGREES, DISAGREES, UNTESTED, Experiment, Finding, Outcome, Setup
from tfstyle.experiments.folder import Folder
from tfstyle.images.picture import Picture, quantized

_JSON_ONLY = ("by_judge",)  # columns that are in results.json only
_TAGS = {AGREES: "good", DISAGREES: "bad", UNTESTED: "open"}
_THUMBNAIL = 160  # pixels of the longer side (chosen)


def write(experiment: Experiment, outcome: Outcome, place: Folder, seconds: float) -> None:
    """Write all results into the experiment's folder.

    Args:
        experiment: The experiment.
        outcome: Its results.
        place: Its folder.
        seconds: Time that the last call took.
    """
    findings = experiment.findings(outcome)
    drawn = {name: figures.png(figure) for name, figure in experiment.figures(outcome).items()}
    for name, data in drawn.items():
        place.write(f"figures/{name}.png", data)
    place.write("results.csv", table.as_csv(outcome.rows, _csv_columns(outcome.rows)))
    place.write("results.json", _results(experiment, outcome, findings, seconds))
    place.write("report.html", page(experiment, outcome, findings, drawn))


def headings(columns: Iterable[str]) -> dict[str, str]:
    """The headings of columns, by their names; an arrow shows whether larger or smaller is better."""
    return {column: _heading(column) for column in columns}


def findings_text(findings: Iterable[Finding]) -> str:
    """The findings as lines for a terminal."""
    return "".join(
        f"{each.verdict or 'measured'}: {each.claim.text + ' — ' if each.claim else ''}{each.evidence}\n"
        for each in findings
    )


def page(experiment: Experiment, outcome: Outcome, findings: Sequence[Finding], drawn: Mapping[str, bytes]) -> str:
    """The report.

    Args:
        experiment: The experiment.
        outcome: Its results.
        findings: Its findings.
        drawn: Its figures as PNG files, by their names.
    """
    setup = outcome.setup
    body = [
        f"<h1>{escape(experiment.title)}</h1>",
        f'<p class="small">{escape(experiment.reference)}</p>' if experiment.reference else "",
        f"<p>{len(outcome.runs)} runs at {setup.size} pixels, {setup.steps} steps, seed {setup.seed}. Tags tell "
        f"apart what the paper {tag('reported')}, what was {tag('chosen')} here, and what was {tag('measured')}.</p>",
        *_warnings(outcome),
        *_findings(findings),
        *_images(setup),
        *(_figure(name, data) for name, data in drawn.items()),
        *_scores(experiment, outcome),
        *_settings(experiment, outcome),
        "<h2>Weights and versions</h2>",
        f"<ul>{''.join(_weights(outcome))}</ul>",
        f"<p>{escape(', '.join(f'{name} {number}' for name, number in versions().items()))}</p>",
    ]
    return html.page(experiment.title, body)


def _warnings(outcome: Outcome) -> Iterable[str]:
    setup = outcome.setup
    if setup.quick:
        yield html.warning(
            f"A quick trial at {setup.size} pixels, {setup.steps} steps: it shows that everything runs. Its figures "
            "prove nothing."
        )
    if untrained := [name for name in outcome.networks if not setup.networks.trained(name)]:
        them = "these networks" if len(untrained) > 1 else "this network"
        yield html.warning(
            f"{', '.join(untrained)}: random weights, seed {setup.seed}, since ImageNet weights were not found. "
            f"Figures of {them} tell nothing about trained weights."
        )


def _findings(findings: Sequence[Finding]) -> Iterable[str]:
    if findings:
        yield "<h2>Findings</h2>"
        yield f"<ul>{''.join(map(_finding, findings))}</ul>"


def _finding(finding: Finding) -> str:
    claim = ""
    if finding.claim:
        source = f'<span class="small">({escape(finding.claim.source)})</span>'
        claim = f"{tag('reported')} {escape(finding.claim.text)} {source}<br>"
    verdict = f"{tag(finding.verdict, _TAGS[finding.verdict])} " if finding.verdict else ""
    return f"<li>{claim}{tag('measured')} {verdict}{escape(finding.evidence)}</li>"


def _scores(experiment: Experiment, outcome: Outcome) -> Iterable[str]:
    facts = dict.fromkeys(name for run in outcome.runs for name in run.facts)
    columns = headings([*facts, "weights", "judges", *experiment.columns])
    yield f"<h2>Results {tag('measured')}</h2>"
    yield f'<div class="wide">{table.as_html(outcome.rows, columns)}</div>'
    yield f'<p class="small">{escape(_meanings())} results.csv and results.json have all columns.</p>'


def _settings(experiment: Experiment, outcome: Outcome) -> Iterable[str]:
    if constants := experiment.constants(outcome.setup):
        rows = [{**asdict(constant), "kind": tag(constant.kind)} for constant in constants]
        yield "<h2>Settings</h2>"
        yield table.as_html(rows, {"name": "setting", "value": "value", "kind": "", "source": "source"})


def _results(experiment: Experiment, outcome: Outcome, findings: Sequence[Finding], seconds: float) -> dict[str, Any]:
    """The object in results.json."""
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
            for each in findings
        ],
        "constants": [asdict(each) for each in experiment.constants(setup)],
        "measurements": outcome.measurements,
        "rows": outcome.rows,
        "versions": versions(),
        "last_seconds": round(seconds, 1),
    }


def _csv_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [name for name in dict.fromkeys(name for row in rows for name in row) if name not in _JSON_ONLY]


def _heading(column: str) -> str:
    metric = metrics.METRICS.get(column)
    name = {"judges": "scored by"}.get(column, column.replace("_", " "))
    return f"{name} {metric.arrow}" if metric else f"{name} ↑" if column == "style_reached" else name


def _meanings() -> str:
    """What the columns of the scores mean."""
    known = "; ".join(f"{metric.name.replace('_', ' ')}: {metric.meaning}" for metric in metrics.METRICS.values())
    return (
        "Style reached: the share of the way from the content image (0) to the style image (1), over Gram distance, "
        "MMD and Wasserstein distance. Every score is the mean over the networks that score the image; they did not "
        f"paint it. {known}; color shift: distance of the colours from those of the content image, in ΔE."
    )


def _figure(name: str, data: bytes) -> str:
    words = name.replace("_", " ").replace("-", " ")
    return html.figure(html.image(data, words), Markup(f"{escape(words)} {tag('measured')}"))


def _images(setup: Setup) -> Iterable[str]:
    """The content and style images; in a private report their names only."""
    pictures = (*setup.contents, *setup.styles)
    yield "<h2>Images</h2>"
    if setup.private:
        yield from map(_caption, pictures)
    else:
        yield f'<div class="row">{"".join(map(_thumbnail, pictures))}</div>'


def _thumbnail(picture: Picture) -> str:
    small = picture.resized(min(_THUMBNAIL, max(picture.rgb.shape[:2])))
    data = html.jpeg(Image.fromarray(quantized(small.rgb, 8)))
    return html.figure(html.image(data, picture.name), picture.name)


def _caption(picture: Picture) -> str:
    return f"<p>{escape(picture.name)}, not shown; SHA-256 {picture.sha256}</p>"


def _weights(outcome: Outcome) -> Iterable[str]:
    for name in outcome.networks:
        record = outcome.setup.networks.record(name)
        file = f", {record['file']}, SHA-256 {record['sha256']}" if "sha256" in record else ""
        yield f"<li>{escape(name)}: {escape(record['name'])} ({escape(record['source'] + file)})</li>"

"""What a page gives to whoever shares its address: words, a picture, and the picture in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from areaeffect.results import Verdict
from areaeffect.web.cards import HEIGHT, WIDTH, Card

if TYPE_CHECKING:
    from areaeffect.results import Finding
    from areaeffect.web.published import PublishedRun
    from areaeffect.web.run_views import PlaceView
    from areaeffect.web.site import Site
    from areaeffect.web.voices import Voice

VOICES_APART = "What people say. It did not enter any estimate."


@dataclass(frozen=True, slots=True)
class Shared:
    """What stands in the head of a page for those who link to it."""

    address: str
    title: str
    text: str
    picture: str
    alternative: str
    key: str
    width: int = WIDTH
    height: int = HEIGHT


def share(site: Site, path: str, title: str, card: Card) -> Shared:
    """Return what a page at `path` shares; its picture is named by the hash of what it shows."""
    picture = f"{site.address}{path}/card-{card.key}.png"
    said = f"{str(card.verdict).capitalize()}. " if card.verdict else ""
    return Shared(
        f"{site.address}{path}", title, said + card.text, picture, card.alternative, card.key
    )


def run_card(run: PublishedRun) -> Card:
    """Return the picture of a whole run."""
    from areaeffect.wording import group_title, overall

    findings = list(run.main.values())
    below = "Several studies in one report"
    if findings:
        first = [f for f in findings if f.group == findings[0].group]
        below = f"{group_title(first[0].group)}: {overall(first)}"
    return Card(run.question, run.title, below)


def finding_card(run: PublishedRun, finding: Finding) -> Card:
    """Return the picture of one finding: verdict, headline and interval."""
    from areaeffect.wording import headline
    from areaeffect.wording.numbers import known, signed

    ends = [known(v) for v in (finding.low, finding.estimate, finding.high)]
    low, middle, high = ends
    drawn = None
    if low is not None and middle is not None and high is not None:
        drawn = (low, middle, high)
    below = "Not an experiment: the page says what can and cannot be concluded."
    if finding.verdict is Verdict.NOT_ESTIMABLE:
        below = "The page says why, and what could be done."
    return Card(
        f"{finding.group} – {run.title}",
        headline(finding),
        below,
        finding.verdict,
        drawn,
        (signed(low, finding), signed(high, finding)) if drawn else ("", ""),
    )


def place_card(run: PublishedRun, place: PlaceView) -> Card:
    """Return the picture of one neighbourhood."""
    below = "One place is small: ‘cannot tell’ does not mean that nothing changed."
    return Card(run.title, f"{place.name}. {place.in_short}", below)


def voice_card(run_title: str, voice: Voice) -> Card:
    """Return the picture of a story or an event."""
    when = f"{voice.place}, {voice.date}" if voice.place else voice.date
    text = f"{voice.title}: “{voice.text}”" if voice.text else voice.title
    return Card(f"{when} – {run_title}", text, VOICES_APART)

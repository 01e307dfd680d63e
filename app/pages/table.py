"""The pages of the site, a row each, with all that other files need to know about them.

A new page is a row here, its script static/pages/NAME/page.js, and a test. No requests and no Gradio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SITE = "OnlyBN"
TITLE = "How much can a random network learn?"
DESCRIPTION = (
    "A browser laboratory: keep every weight random, train only a few chosen parameters, and watch what happens."
)


@dataclass(frozen=True)
class Page:
    """A page. `title`: in the header and for Gradio. `opens`: the end of the sentence that says what its link opens.

    `link_title`, `description`: the link's preview on other sites, unless the link names a known run or study.
    `head`: the HTML until the script has loaded; None: a function of site.py or landing.py builds the page.
    `header`: whether the header links to it, always or only on wide screens. `keys`: the shortcut to it; only for pages
    in the header. `run`: the parameter of its address that names its run. `frozen`: whether a frozen site has the page,
    because its script needs no worker (app/freeze).
    """

    path: str
    title: str
    link_title: str
    description: str
    opens: str
    head: str | None = None
    header: Literal["always", "wide"] | None = None
    keys: str | None = None
    run: str | None = None
    frozen: bool = False

    @property
    def name(self) -> str:
        """The folder of its script, and the id of its panel."""
        return self.path.removeprefix("/") or "start"


PAPER = """<header class="paper-head">
  <h1>The paper’s questions</h1>
  <p>Each row tests a claim. Differences in points: ● ours with 95% intervals (shipped unless “run here”), ◇ the
  paper’s. Open a row for more. “Our reading”: wording not checked.</p>
</header>"""

PAGES = {
    page.path: page
    for page in (
        Page(
            "/",
            "Start",
            link_title=f"{SITE}: {TITLE[0].lower()}{TITLE[1:]}",
            description=DESCRIPTION,
            opens="this page",
            frozen=True,
        ),
        Page(
            "/train",
            "Train",
            link_title="Build your own run",
            description=DESCRIPTION,
            opens="the form as you have filled it in; it launches nothing",
            header="always",
            keys="g t",
        ),
        Page(
            "/paper",
            "Paper",
            link_title="The paper’s questions, put to the test",
            description="Studies that say whether the paper’s claims hold here.",
            opens="the paper’s questions, at the study you chose last",
            head=PAPER,
            header="always",
            keys="g p",
            frozen=True,
        ),
        Page(
            "/findings",
            "Findings",
            link_title="Findings",
            description="What was measured for each claim of the paper, with intervals, next to what the paper says.",
            opens="this page",
            header="wide",
            keys="g f",
            frozen=True,
        ),
        Page(
            "/runs",
            "Runs",
            link_title="Runs",
            description="Networks with random weights, and what a few trained parameters achieved in them.",
            opens="this list with its filters, order and selected runs",
            head="<h1>Runs</h1>",
            header="always",
            keys="g r",
            frozen=True,
        ),
        Page(
            "/compare",
            "Compare",
            link_title="Compare",
            description="Runs side by side: curves, means with intervals, and how the runs differ.",
            opens="this comparison as you see it: the same runs, grouping, charts and table",
            head="<h1>Compare</h1>",
            header="always",
            keys="g c",
            frozen=True,
        ),
        Page(
            "/about",
            "About",
            link_title=f"About {SITE}",
            description="What training BatchNorm and only BatchNorm means, for newcomers, with live figures.",
            opens="this page",
            header="wide",
            keys="g a",
            frozen=True,
        ),
        Page(
            "/run",
            "Run",
            link_title="Run",
            description=DESCRIPTION,
            opens="this run, live, at the layer and moment you are looking at",
            head='<h1 class="waiting">Run</h1>',
            run="id",
            frozen=True,
        ),
        Page(
            "/surgery",
            "Surgery",
            link_title="Surgery",
            description="Switch features of a trained network off and see what it can still do.",
            opens="this surgery with its threshold and all edits; the run itself does not change",
            head='<h1 class="waiting">Surgery</h1>',
            run="run",
        ),
        Page(
            "/tasks",
            "Tasks",
            link_title="One random network, many tasks",
            description="Flip the γ and β of several tasks over one picture, in one network of random weights.",
            opens="these tasks with the picture, the layer and the γ that you are looking at",
            head='<h1 class="waiting">One random network, many tasks</h1>',
        ),
        Page(
            "/tab",
            "Tab",
            link_title="Train in this tab",
            description="A network that the browser trains itself: nothing leaves the computer.",
            opens="this training, which the reader’s browser repeats",
            head="<h1>Train in this tab</h1>",
            frozen=True,
        ),
        Page(
            "/room",
            "Room",
            link_title="A room",
            description="All runs of a class on one board. Join with a nickname.",
            opens="this room, which everybody with the link can join",
            head="<h1>Room</h1>",
        ),
        Page(
            "/admin",
            "Admin",
            link_title="Admin",
            description="The queue, the disk, all runs and reported names, for the operator.",
            opens="this page, which asks for the admin token",
            head="<h1>Admin</h1>",
        ),
    )
}
"""By path, in the order of the header."""

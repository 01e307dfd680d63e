"""The store: everything that this program keeps in its database, in parts that each know one kind of thing.

It knows no web and no queue of hints. `store.runs.submit(spec)`, `store.claims.take(worker)`, `store.studies.get(id)`.
"""

from __future__ import annotations

from jobs.store.artefacts.artefacts import FOLDER, Artefacts
from jobs.store.claims import Claims
from jobs.store.complaints.complaints import Complaints
from jobs.store.curves import Curves
from jobs.store.database import Database
from jobs.store.evaluations import Evaluations
from jobs.store.examples import Examples
from jobs.store.labels.labels import Labels
from jobs.store.queue import Queue
from jobs.store.results import Results
from jobs.store.rooms.rooms import Rooms
from jobs.store.runs import Runs
from jobs.store.schema import migrate
from jobs.store.shares.allowance import Allowances
from jobs.store.shares.keeping import Keeping
from jobs.store.shares.reports import Reports
from jobs.store.shares.switch import Switch
from jobs.store.starts import Starts
from jobs.store.studies import Studies
from jobs.store.tabs.tabs import Tabs
from jobs.store.tallies import Tallies
from jobs.store.webhooks.outbox import Outbox
from jobs.store.webhooks.webhooks import Webhooks
from jobs.store.workers import Workers


class Store:
    """Runs and all that belongs to them, in one database. May be shared by threads.

    `artefacts`: where files are kept that other machines need. Raises ValueError.
    """

    def __init__(self, database: Database, artefacts: str = FOLDER) -> None:
        self.database = database
        self.runs = Runs(database)
        self.queue = Queue(database)
        self.claims = Claims(database)
        self.curves = Curves(database)
        self.rooms = Rooms(database)
        self.labels = Labels(database)
        self.results = Results(database)
        self.artefacts = Artefacts(database, artefacts)
        self.starts = Starts(database)
        self.tabs = Tabs(database)
        self.evaluations = Evaluations(database)
        self.studies = Studies(database)
        self.tallies = Tallies(database)
        self.workers = Workers(database)
        self.examples = Examples(database)
        self.keeping = Keeping(database)
        self.switch = Switch(database)
        self.reports = Reports(database)
        self.complaints = Complaints(database)
        self.allowances = Allowances(database)
        self.webhooks = Webhooks(database)
        self.outbox = Outbox(database)

    def migrate(self) -> None:
        """Bring the database to the schema of this program. Several processes may do so at once. Raises WrongSchema."""
        migrate(self.database)

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

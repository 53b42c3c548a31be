"""Outputs as users write them: one that keeps what it gets, one that writes it to a file, one that fails."""

from treering.errors import NetworkFailed
from treering.outputs import Output


class Collector(Output):
    """Keeps the messages it gets, and refuses them while it is told to be down."""

    kind = "collector"
    scope = "journal"

    def __init__(self, *args, **common):
        super().__init__(*args, **common)
        self.got = []
        self.down = False
        self.take = None

    def write(self, batch):
        if self.down:
            raise NetworkFailed("the line is cut")
        if self.take is not None and len(batch) > self.take:
            self.got += [(r.index, r["message"]) for r in batch[: self.take]]
            raise NetworkFailed("the line was cut in the middle", accepted=self.take)
        self.got += [(r.index, r["message"]) for r in batch]

    def messages(self):
        return [message for _, message in self.got if not message.startswith("output ")]


class ProcessCollector(Collector):
    """The same for what this process says."""

    scope = "process"


class Appender(Output):
    """Appends `PID MESSAGE` lines to a file, as a user's own class might."""

    kind = "appender"
    scope = "journal"

    def __init__(self, path, name=None, **common):
        super().__init__(name, **common)
        self.path = str(path)

    def write(self, batch):
        import os

        with open(self.path, "a") as file:
            file.writelines(f"{os.getpid()} {r['message']}\n" for r in batch)

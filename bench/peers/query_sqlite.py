"""SQLite: a table with columns and indexes for what is asked, and FTS5 over the text."""

import json
import os
import sqlite3

from bench.corpus import RARE_WORD

ANSWERS = ["histogram", "errors", "id", "rare", "common", "field", "top"]


def _rows(path):
    with open(path) as file:
        for at, line in enumerate(file):
            record = json.loads(line)
            context = record["context"]
            yield (
                at,
                record["timestamp"],
                record["level"],
                record["component"],
                record["message"],
                context["request_id"],
                context["user_id"],
                context["ip"],
            )


def prepare(place):
    file = os.path.join(place, "log.sqlite")
    database = sqlite3.connect(file)
    database.executescript(
        """PRAGMA journal_mode = off; PRAGMA synchronous = off;
        CREATE TABLE log (at INTEGER PRIMARY KEY, timestamp TEXT, level TEXT, component TEXT,
            message TEXT, request_id TEXT, user_id INTEGER, ip TEXT);
        CREATE VIRTUAL TABLE words USING fts5(message, content='log', content_rowid='at');"""
    )
    database.executemany("INSERT INTO log VALUES (?,?,?,?,?,?,?,?)", _rows(f"{place}/corpus.jsonl"))
    database.executescript(
        """CREATE INDEX by_id ON log(request_id); CREATE INDEX by_user ON log(user_id);
        CREATE INDEX by_level ON log(level, component, timestamp);
        INSERT INTO words(words) VALUES('rebuild');"""
    )
    database.commit()
    return [file]


def open_session(place):
    return sqlite3.connect(os.path.join(place, "log.sqlite"))


def ask(database, question):
    from bench.queries import WANTED_ID

    statement = {
        "histogram": """SELECT count(*), sum(n) FROM (SELECT substr(timestamp, 1, 16) m, level,
            count(*) n FROM log GROUP BY m, level)""",
        "errors": """SELECT message, request_id FROM log WHERE level IN ('ERROR', 'CRITICAL')
            AND (component = 'payment' OR component LIKE 'payment.%') ORDER BY timestamp DESC LIMIT 100""",
        "id": f"SELECT message FROM log WHERE request_id = '{WANTED_ID}' ORDER BY 1",
        "rare": f"""SELECT message FROM log WHERE at IN (SELECT rowid FROM words WHERE words
            MATCH '{RARE_WORD}') ORDER BY 1""",
        "common": "SELECT count(*) FROM words WHERE words MATCH 'gateway'",
        "field": "SELECT count(*) FROM log WHERE user_id = 7",
        "top": "SELECT user_id u, count(*) n FROM log GROUP BY u ORDER BY n DESC, u LIMIT 10",
    }[question]
    return [list(row) for row in database.execute(statement).fetchall()]

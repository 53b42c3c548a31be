"""DuckDB over one Parquet file as people make it: what `read_json` finds, compressed with zstd."""

import os

import duckdb

from bench.corpus import RARE_WORD

SOURCE = "read_parquet('{place}/naive.parquet')"


def prepare(place):
    file = os.path.join(place, "naive.parquet")
    # One core for the processor's time to be comparable; the file is the same.
    duckdb.sql(
        f"COPY (SELECT * FROM read_json('{place}/corpus.jsonl', format='newline_delimited'))"
        f" TO '{file}' (FORMAT parquet, COMPRESSION zstd)"
    )
    return [file]


def open_session(place):
    return duckdb.connect(), SOURCE.format(place=place)


def statements(source):
    from bench.queries import WANTED_ID

    def text(word):
        return f"concat_ws(' ', message, context.request_id, context.ip) ILIKE '%{word}%'"

    return {
        "histogram": f"""SELECT count(*), sum(n) FROM (SELECT date_trunc('minute', "timestamp"::TIMESTAMP) m,
            level, count(*) n FROM {source} GROUP BY m, level)""",
        "errors": f"""SELECT message, context.request_id FROM {source} WHERE level IN ('ERROR', 'CRITICAL')
            AND (component = 'payment' OR component LIKE 'payment.%')
            ORDER BY "timestamp" DESC LIMIT 100""",
        "id": f"SELECT message FROM {source} WHERE context.request_id::VARCHAR = '{WANTED_ID}' ORDER BY 1",
        "rare": f"SELECT message FROM {source} WHERE {text(RARE_WORD)} ORDER BY 1",
        "common": f"SELECT count(*) FROM {source} WHERE {text('gateway')}",
        "field": f"SELECT count(*) FROM {source} WHERE context.user_id = 7",
        "top": f"""SELECT context.user_id u, count(*) n FROM {source} GROUP BY u
            ORDER BY n DESC, u LIMIT 10""",
        "percentiles": f"""SELECT component, round(quantile_cont(metadata.duration_ms, 0.5), 3),
            round(quantile_cont(metadata.duration_ms, 0.99), 3) FROM {source} GROUP BY component
            ORDER BY component""",
    }


def ask(session, question):
    connection, source = session
    rows = connection.sql(statements(source)[question]).fetchall()
    return [[_plain(value) for value in row] for row in rows]


def _plain(value):
    return value if isinstance(value, int | float | str) else str(value)

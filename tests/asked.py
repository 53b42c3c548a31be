"""Records, queries about them, and a table with the columns of the archive, for tests of the store."""

import json
from random import Random

import duckdb
from hypothesis import strategies as st

from treering.store.query import (
    Aggregate,
    And,
    Compare,
    Dedup,
    Everything,
    Fields,
    Key,
    Limit,
    Not,
    OneOf,
    Or,
    Order,
    Pattern,
    Query,
    Range,
    Regex,
    Sort,
    Stats,
    Text,
    TimeChart,
    Top,
    Where,
)

STRINGS = "category component message event_id event_name cause module function file host trace_id span_id"
COLUMNS = {
    "index": "BIGINT",
    "timestamp": "TIMESTAMPTZ_NS",
    "level": "VARCHAR",
    "level_number": "SMALLINT",
    **dict.fromkeys(STRINGS.split(), "VARCHAR"),
    **dict.fromkeys(("line", "process", "thread"), "BIGINT"),
    **dict.fromkeys(("context", "metadata", "performance_data", "exception"), "VARCHAR"),
}
TYPES = {"integer": "BIGINT", "double": "DOUBLE", "string": "VARCHAR", "boolean": "BOOLEAN"}
KINDS = {"integer": int, "double": float, "string": str, "boolean": bool}
LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "Level 27": 27, "AUDIT": 70}

WORDS = [
    "timed",
    "out",
    "Timeout",
    "a",
    "AB",
    "ab_1",
    "7",
    "42",
    "true",
    "null",
    "Ärger",
    "ſ",
    "x.y",
    "-",
]
FIELDS = [
    *("a", "ab", "x", "x.y", "q", "a b", "q.a", "q.0", "x.y.a", "k/~", "missing"),
    *("context.a", "metadata.ab", "performance_data.x", "context.x.y", "context.q.a"),
    *("line", "process", "category", "index", "exception.type"),
]


STAMPS = ["000000000", "123456789", "5"]
NAMES = ["a", "a", "ab", "x", "x.y", "q", "a b", "k/~"]
TEXTS = [
    *WORDS,
    *(
        "timed out",
        "Out timed",
        "timed-out",
        "a 7",
        "AB ab_1",
        'say "ab"',
        "a\\b",
        "tab\tout",
        "%",
        "a_b",
        "aXb",
    ),
    *("\u0130stanbul", "a\nb", "1e3", "7.0", "007", "", "\u0000", "out", "OUT", "ÄRGER"),
]
NUMBERS = [
    *(0, 1, 7, 7, 42, -3, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63)),
    *(1.5, 7.0, -0.5, 1e16, 1e-7, 100.0),
]


def corpus(seed, count):
    """Records as objects, with the keys in their order."""
    random = Random(seed)
    return [record(random) for _ in range(count)]


def record(random):
    pick = random.choice
    made = {
        "timestamp": f"2026-11-21T10:{pick(range(3)):02}:{pick((0, 1, 30)):02}.{pick(STAMPS):0<9}Z",
        "level": pick(list(LEVELS)),
        "category": pick(["api", "Audit", "7", "out"]),
        "component": pick(["auth", "auth.session", "authority", "Auth.x"]),
        "message": pick(TEXTS),
        "line": pick([1, 7, 42]),
        "process": pick([1, 2, 7]),
    }
    for group in ("context", "metadata", "performance_data"):
        made[group] = {pick(NAMES): value(random) for _ in range(pick((0, 1, 2)))}
    if pick((True, False, False)):
        made["exception"] = {"type": pick(WORDS), "message": pick(TEXTS), "stack": [{"line": 7}]}
    if pick((True, False, False)):
        del made["message"]
    return {key: of for key, of in made.items() if of != {}}


def value(random, depth=0):
    pick = random.choice
    kind = pick("tttnnnbz" if depth else "tttnnnbzlo")
    match kind:
        case "t":
            return pick(TEXTS)
        case "n":
            return pick(NUMBERS)
        case "b":
            return pick((True, False))
        case "l":
            return [pick([*TEXTS, 7, 42]) for _ in range(pick(range(3)))]
        case "o":
            return {pick(NAMES): pick([*TEXTS, 7, 1.5]) for _ in range(pick(range(3)))}
    return None


def table(connection, records, promoted):
    """Puts records into a table `r` with promoted columns: their kinds by name."""
    columns = COLUMNS | {name: TYPES[kind] for name, kind in promoted.items()}
    connection.execute("DROP TABLE IF EXISTS r")
    listed = ", ".join('"' + name + '" ' + type_ for name, type_ in columns.items())
    connection.execute(f"CREATE TABLE r ({listed})")
    marks = ", ".join(f"CAST(? AS {type_})" for type_ in columns.values())
    for index, record in records:
        row = dict.fromkeys(columns) | {key: v for key, v in record.items() if key in columns}
        row["index"], row["level_number"] = index, LEVELS[record["level"]]
        for group in ("context", "metadata", "performance_data"):
            rest = dict(record.get(group, {}))
            for name, kind in promoted.items():
                key = name.removeprefix(f"{group}.")
                value = rest.get(key)
                if key != name and type(value) is KINDS[kind] and abs_of(value) < 2**63:
                    row[name] = rest.pop(key)
            row[group] = line(rest) if rest else None
        row["exception"] = line(record["exception"]) if "exception" in record else None
        connection.execute(f"INSERT INTO r VALUES ({marks})", list(row.values()))


def abs_of(value):
    return abs(value) if type(value) is int else 0


def line(record):
    """As the journal writes it."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


words = st.sampled_from(WORDS)
texts = st.sampled_from(TEXTS)
patterns = st.one_of(
    texts.filter(bool).map(lambda text: Pattern((text,))),
    st.lists(st.one_of(st.just(""), words), min_size=2, max_size=3)
    .filter(any)
    .map(
        lambda parts: Pattern(
            tuple(p for n, p in enumerate(parts) if n in (0, len(parts) - 1) or p)
        )
    ),
)
LITERALS = [
    "7",
    "1.5",
    "1e2",
    "007",
    "+7",
    str(2**53 + 1),
    str(2**63 - 1),
    str(2**63),
    "-0.5",
    "1e16",
]
literals = st.sampled_from([*TEXTS, *LITERALS])
# What means the same to RE2 and to Python.
regexes = st.sampled_from(["^a", "out$", "[0-9]+", "(?i)TIME", "a.b", "x|7", '"', "e+"]).map(Regex)
fields = st.sampled_from(FIELDS)
times = st.sampled_from(
    [
        "2026-11-21T10:01",
        "2026-11-21",
        "-1m",
        "now",
        "2026-11-21T10:00:30.123456789Z",
        "now-90s/m",
        "2026-11-21T12:01+02:00",
    ]
)
level_texts = st.sampled_from(["info", "WARN", "error", "27", "audit", "Level 27"])
orders = st.sampled_from([":", "=", "!=", "<", "<=", ">", ">="])


def compares(fields, values):
    equals = st.builds(
        Compare,
        fields,
        st.sampled_from([":", "=", "!="]),
        st.one_of(values, patterns, regexes, st.just(Pattern(("", "")))),
    )
    ordered = st.builds(
        Compare, fields, orders, literals.filter(bool).map(lambda text: Pattern((text,)))
    )
    return st.one_of(
        equals,
        ordered,
        st.builds(
            OneOf,
            fields,
            st.sampled_from([":", "=", "!="]),
            st.lists(values, min_size=1, max_size=3).map(tuple),
        ),
        st.builds(
            Range, fields, literals, st.one_of(st.none(), literals), st.booleans(), st.booleans()
        ),
    )


def exact(values):
    return values.map(lambda text: Pattern((text,)))


timed = st.one_of(
    st.builds(Compare, st.just("timestamp"), orders, exact(times)),
    st.builds(Range, st.just("timestamp"), times, times, st.booleans(), st.booleans()),
)
levelled = st.one_of(
    st.builds(Compare, st.just("level"), orders, exact(level_texts)),
    st.builds(
        OneOf,
        st.just("level"),
        st.sampled_from([":", "!="]),
        st.lists(exact(level_texts), min_size=1, max_size=2).map(tuple),
    ),
)
worded = st.builds(
    Compare,
    st.sampled_from(["component", "message", "exception"]),
    st.sampled_from([":"]),
    st.one_of(patterns, regexes),
)
atoms = st.one_of(
    st.just(Everything()),
    st.builds(Text, st.one_of(patterns, regexes)),
    compares(fields, exact(literals)),
    timed,
    levelled,
    worded,
)
filters = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner.filter(lambda n: not isinstance(n, And)), min_size=2, max_size=3).map(
            lambda n: And(tuple(n))
        ),
        st.lists(inner.filter(lambda n: not isinstance(n, Or)), min_size=2, max_size=3).map(
            lambda n: Or(tuple(n))
        ),
    ),
    max_leaves=5,
)


def aggregates(columns, *, of_records):
    functions = [
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "count_distinct",
        *["first", "last"] * of_records,
    ]
    plain = st.tuples(st.sampled_from(functions), st.sampled_from(columns), st.none())
    share = st.tuples(
        st.just("percentile"), st.sampled_from(columns), st.sampled_from([50.0, 95.0, 99.9])
    )
    count = st.just(("count", None, None))
    return st.lists(st.one_of(plain, share, count), min_size=1, max_size=3).map(
        lambda made: tuple(Aggregate(*one, f"n{number}") for number, one in enumerate(made))
    )


KEYS = ["a", "x", "context.a", "level", "component", "process", "message"]


@st.composite
def pipelines(draw):
    """Pipes that fit each other."""
    pipes, columns = [], None
    for kind in draw(
        st.lists(
            st.sampled_from("where sort limit dedup fields top stats chart".split()), max_size=4
        )
    ):
        here = [*KEYS, "timestamp", "missing"] if columns is None else list(columns)
        chosen = tuple(draw(st.lists(st.sampled_from(here), min_size=1, max_size=2, unique=True)))
        match kind:
            case "where":
                exist = st.builds(
                    Compare,
                    st.sampled_from([n for n in here if n not in ("timestamp", "level")] or ["-"]),
                    orders,
                    exact(literals.filter(bool)),
                )
                free = [
                    name
                    for name in here
                    if name not in ("timestamp", "level", "component", "message")
                ]
                pipes.append(
                    Where(draw(filters if columns is None else exist))
                    if columns is None or free
                    else Limit(5)
                )
            case "sort":
                pipes.append(Sort(tuple(Order(name, draw(st.booleans())) for name in chosen)))
            case "limit":
                pipes.append(Limit(draw(st.integers(1, 4))))
            case "dedup":
                pipes.append(Dedup(chosen))
            case "fields":
                pipes.append(Fields(chosen))
                columns = chosen
            case "top" if "count" not in chosen:
                pipes.append(Top(draw(st.integers(1, 3)), chosen, draw(st.booleans())))
                columns = (*chosen, "count")
            case "stats" | "chart":
                made = draw(aggregates(here, of_records=columns is None))
                keys = tuple(Key(name, None, f"k{number}") for number, name in enumerate(chosen))
                if kind == "stats":
                    pipes.append(Stats(made, keys if draw(st.booleans()) else ()))
                    names = (*(key.name for key in pipes[-1].by), *(one.name for one in made))
                elif "timestamp" in here:
                    pipes.append(TimeChart("1m", made, keys))
                    names = ("timestamp", *(key.name for key in keys), *(one.name for one in made))
                else:
                    continue
                columns = names
    return tuple(pipes)


queries = st.builds(Query, filters, pipelines())


def connect():
    return duckdb.connect(config={"threads": 1})

"""`treering search` and `treering sql`."""

import json

import pytest
from journals import archive, lines, write

from treering.cli import main


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("search") / "logs"
    write(directory, 700)
    archive(directory, 3)
    return str(directory)


def test_search_prints_what_cat_prints(directory, capfdbinary):
    assert main(["search", directory, "level:ERROR", "--order", "oldest", "--all"]) == 0
    found = capfdbinary.readouterr().out
    known = [line for _, line in lines(directory) if b'"level":"ERROR"' in line]

    assert len(found.splitlines()) >= len(known) > 0
    assert b"[ERROR   ]" in found


def test_records_as_json_are_the_lines_themselves(directory, capfdbinary):
    assert main(["search", directory, "component:db", "--all", "--json", "--order", "oldest"]) == 0
    found = capfdbinary.readouterr().out.splitlines()

    known = [line for _, line in lines(directory) if b'"component":"db"' in line]
    assert known == found[-len(known) :]


def test_exit_codes_say_found_nothing_wrong(directory, capsys):
    assert main(["search", directory, "level:ERROR", "--limit", "1"]) == 0
    assert main(["search", directory, "never-logged-word"]) == 1
    assert main(["search", directory, "level:nonsense"]) == 2
    assert "column" in capsys.readouterr().err


def test_times_are_given_as_to_the_other_commands(directory, capsys):
    main(["search", directory, "--count"])
    every = capsys.readouterr().out

    assert main(["search", directory, "--count", "--since", "1000w"]) == 0
    assert capsys.readouterr().out == every
    main(["search", directory, "--count", "--until", "2000-01-01 10:30"])
    assert capsys.readouterr().out.split()[0] == "0"
    assert main(["search", directory, "--since", "soon"]) == 2


def test_pipes_become_tables_json_and_csv(directory, capsys):
    query = "| stats count() as n by component"
    main(["search", directory, query])
    table = capsys.readouterr().out.splitlines()
    main(["search", directory, query, "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    main(["search", directory, query, "--csv"])
    csv = capsys.readouterr().out.splitlines()

    assert table[0].split() == ["component", "n"] == csv[0].split(",")
    assert sum(row["n"] for row in rows) == 700 + 8
    assert len(table) - 2 == len(rows) == len(csv) - 1


def test_the_histogram_counts_everything(directory, capsys):
    assert main(["search", directory, "--histogram"]) == 0
    totals = [
        int(line.split()[2].replace(",", "")) for line in capsys.readouterr().out.splitlines()
    ]

    assert sum(totals) == 708


def test_a_cursor_goes_on(directory, capsys):
    main(["search", directory, "--limit", "5", "--json"])
    shown = capsys.readouterr()
    main(["search", directory, "--limit", "5", "--json", "--cursor", shown.err.split()[-1]])

    assert not set(shown.out.splitlines()) & set(capsys.readouterr().out.splitlines())


def test_sql_answers_and_refuses(directory, capsys):
    assert (
        main(
            [
                "sql",
                directory,
                "SELECT count(*) AS n FROM records WHERE level = ?",
                "--parameter",
                "ERROR",
                "--json",
            ]
        )
        == 0
    )
    assert json.loads(capsys.readouterr().out)["n"] > 50
    assert main(["sql", directory, "SELECT 1 WHERE false"]) == 1
    assert main(["sql", directory, "DROP VIEW records"]) == 2
    assert "only questions can be asked" in capsys.readouterr().err


def test_csv_is_obeyed_by_no_terminal_and_no_spreadsheet(directory, capsys):
    sql = "SELECT chr(27) || '[2J' AS a, '=HYPERLINK(1)' AS b, -1 AS c"
    assert main(["sql", directory, sql, "--csv"]) == 0

    assert capsys.readouterr().out == "a,b,c\n\\x1b[2J,'=HYPERLINK(1),-1\n"

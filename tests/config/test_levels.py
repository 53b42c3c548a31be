"""Levels that stay as somebody set them, and records of who changed what."""

import pytest
from programs import records, run, start

import treering
from treering.errors import ConfigurationError
from treering.journal import Journal

CONFIGURED = """
    import sys, treering
    treering.configure(directory=sys.argv[1], console=False, **eval(sys.argv[2]))
    log = treering.get_logger("shop.till")
    log.info("started")
    print(treering.level_name(treering.get_level("shop.till")), flush=True)
    sys.stdin.readline()
    print(treering.level_name(treering.get_level("shop.till")), flush=True)
"""


def begin(journal, **settings):
    """A process with this configuration, and the level that it starts with."""
    process = start(CONFIGURED, journal, repr(settings), stdin=-1)
    return process, process.stdout.readline().strip()


def end(*processes):
    for process in processes:
        process.communicate("\n")
        assert process.returncode == 0


def changes(journal):
    """(component, from, to, by) of every record about a changed level."""
    facts = [
        r["metadata"] for r in records(journal, journal=True) if r["message"] == "level changed"
    ]
    return [(one["of"], one["from"], one["to"], one["by"]) for one in facts]


def test_a_new_process_with_the_same_configuration_undoes_no_change_of_a_person(journal):
    first, level = begin(journal, level="INFO", levels={"shop": "WARNING"})
    assert level == "WARNING"
    Journal(journal).set_level("shop", 10)

    second, level = begin(journal, level="INFO", levels={"shop": "WARNING"})

    assert level == "DEBUG"
    end(first, second)
    assert changes(journal) == [("shop", "WARNING", "DEBUG", "journal")]


def test_a_new_process_with_another_configuration_changes_the_level_and_says_so(journal):
    first, _ = begin(journal, levels={"shop": "WARNING"})
    Journal(journal).set_level("shop", 10)

    second, level = begin(journal, levels={"shop": "ERROR"})

    assert level == "ERROR"
    end(first, second)
    assert changes(journal)[-1] == ("shop", "DEBUG", "ERROR", "configuration")


def test_a_kept_level_outlives_all_processes_under_the_same_configuration(journal):
    run(
        """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False, level="INFO")
        treering.set_level("", "TRACE", persist=True)
        """,
        journal,
    )

    process, level = begin(journal, level="INFO")

    assert level == "TRACE"
    end(process)
    assert changes(journal) == [("", "INFO", "TRACE", "set_level")]


def test_a_configuration_that_says_something_new_wins_over_a_kept_level_for_good(journal):
    process, _ = begin(journal, level="INFO")
    Journal(journal).set_level("", 5, persist=True)
    end(process)

    for level in ("ERROR", "ERROR"):
        process, found = begin(journal, level=level)
        end(process)
        assert found == "ERROR"

    assert changes(journal)[-1] == ("", "TRACE", "ERROR", "configuration")
    assert Journal(journal).levels() == {}


def test_a_level_that_was_not_kept_ends_with_the_processes(journal):
    process, _ = begin(journal, level="INFO")
    Journal(journal).set_level("", 5)
    end(process)

    process, level = begin(journal, level="INFO")

    assert level == "INFO"
    end(process)


def test_a_level_that_left_the_configuration_and_came_back_counts_again(journal):
    for settings, expected in (
        ({"levels": {"shop": "DEBUG"}}, "DEBUG"),
        ({}, "INFO"),
    ):
        process, level = begin(journal, **settings)
        assert level == expected
        end(process)
    first, _ = begin(journal)

    second, level = begin(journal, levels={"shop": "DEBUG"})

    assert level == "DEBUG"
    end(first, second)


def test_the_first_configuration_is_no_change(journal):
    process, _ = begin(journal, level="DEBUG", levels={"shop": "ERROR"})
    end(process)

    assert changes(journal) == []


def test_a_level_set_on_the_command_line_leaves_a_record_even_when_nothing_runs(journal):
    process, _ = begin(journal, level="INFO")
    end(process)
    run(
        """
        import sys
        from treering.cli import main
        sys.exit(main(["level", "set", sys.argv[1], "shop", "DEBUG", "--persist"]))
        """,
        journal,
    )

    [facts] = [r for r in records(journal, journal=True) if r["message"] == "level changed"]
    assert facts["level"] == "AUDIT"
    assert facts["component"] == "treering.journal"
    assert facts["metadata"] == {
        "of": "shop",
        "from": "inherit",
        "to": "DEBUG",
        "by": "journal",
        "stored": True,
    }
    process, level = begin(journal, level="INFO")
    assert level == "DEBUG"
    end(process)


def test_a_level_set_in_the_program_leaves_a_record(journal):
    treering.configure(directory=journal, console=False)
    treering.set_level("shop", "DEBUG")
    treering.set_level("shop", "DEBUG")
    treering.get_logger("shop").set_level(None)
    treering.shutdown()

    assert changes(journal) == [
        ("shop", "inherit", "DEBUG", "set_level"),
        ("shop", "DEBUG", "inherit", "set_level"),
    ]


def test_without_a_journal_a_level_cannot_be_kept(capfd):
    treering.configure(console=False)

    with pytest.raises(ConfigurationError, match="level of 'shop' cannot be kept"):
        treering.set_level("shop", "DEBUG", persist=True)

    assert treering.get_level("shop") == 20
    treering.shutdown()


def test_configuring_the_same_journal_again_says_what_changed(journal):
    treering.configure(directory=journal, console=False)
    treering.configure(directory=journal, console=False, security_enabled=False, level="DEBUG")
    treering.shutdown()

    [record] = [
        r for r in records(journal, journal=True) if r["message"] == "configuration changed"
    ]
    assert record["metadata"]["changes"] == {
        "level": {"from": None, "to": "DEBUG", "source": "argument"},
        "security_enabled": {"from": True, "to": False, "source": "argument"},
    }
    assert record["level"] == "AUDIT"

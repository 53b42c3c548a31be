"""Redaction: what is secret reaches no journal, no console, no reader."""

import json
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from programs import records, run, start, wait_for

import treering
from treering.errors import ConfigurationError
from treering.journal import Journal

AWS = "AKIAIOSFODNN7EXAMPLE"
MASK = "[REDACTED]"

# Plants every secret by every route: `known` ones are seen by their form, `named` ones by their key.
PLANT = """
import dataclasses, json, logging, sys
import treering

known, named = json.load(sys.stdin)
early = treering.get_logger("early").bind(session_token=named[0], note=known[0])
treering.configure(directory=sys.argv[1], console=True, console_format=sys.argv[2], level="TRACE")
log = treering.get_logger("app")

@dataclasses.dataclass
class Login:
    user: str
    password: str

class Shown:
    def __init__(self, text): self.text = text
    def __str__(self): return self.text

def fail(secret, password):
    try:
        raise KeyError(f"bad {secret} password={password!r}")
    except KeyError as error:
        raise RuntimeError("outer " + secret) from error

early.info("bound before")
for secret, password in zip(known, named):
    log.info("field", value=secret, password=password)
    log.info("nested", a={"b": [{"c": secret, "Api-Key": {"deep": password}}]}, t=(secret, {secret}))
    log.info("object", login=Login(secret, password), shown=Shown(secret), raw=secret.encode())
    log.info("headers", headers=[("Authorization", password), (b"cookie", password.encode())])
    log.info("key", table={secret: 1, f"at {secret} ": 2})
    log.bind(client_secret=password, note=secret).info("bound")
    log.bind(client_secret=password).info("bound, and", token=password)
    with treering.context(refresh_token=password, note=secret):
        log.info("ambient")
        logging.getLogger("x")
    log.info("extra", extra={"metadata": {"pwd": password, "n": secret}, "context": {"otp": password},
                             "performance_data": {"cvv": password, "n": secret}, "passwd": password})
    log.info(f"message {secret} ends")
    log.info("args %s and %r and %s", secret, [secret], {"password": password})
    log.info("mapping %(password)s %(n)s", {"password": password, "n": secret})
    log.info("broken %d", {"password": password}, secret)
    log.log("DEBUG", "assigned password=%r" % password)
    log.audit("audited " + secret, secret_key=password)
    try:
        fail(secret, password)
    except RuntimeError as error:
        error.add_note("note " + secret)
        log.exception("exception")
    with treering.capture_stdlib():
        other = logging.getLogger("lib")
        other.warning("%s from %s", secret, {"token": password}, extra={"api_key": password})
        other.warning("%(password)s", {"password": password})
        try:
            fail(secret, password)
        except RuntimeError:
            other.exception("library")
    log.info("after", ok=True)
assert treering.shutdown(30)
"""


def luhn(digits):
    total = 0
    for at, digit in enumerate(reversed(digits + "0")):
        number = int(digit) * (1 + at % 2)
        total += number - 9 if number > 9 else number
    return digits + str(-total % 10)


def token(alphabet, least, most):
    return st.text(alphabet, min_size=least, max_size=most)


DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WORD = DIGITS + LETTERS + LETTERS.lower()
CARDS = st.one_of(
    token(DIGITS, 14, 14).map(lambda rest: luhn("4" + rest)),
    token(DIGITS, 13, 13).map(lambda rest: luhn("51" + rest)),
    token(DIGITS, 12, 12).map(lambda rest: luhn("37" + rest)),
)
KNOWN = st.one_of(
    CARDS,
    CARDS.filter(lambda card: len(card) == 16).map(
        lambda card: "-".join(card[at : at + 4] for at in range(0, 16, 4))
    ),
    token(WORD + "-_", 20, 40).map(lambda rest: f"eyJhbGciOiJIUzI1NiJ9.eyJ{rest}.{rest}"),
    token(LETTERS + DIGITS, 16, 16).map("AKIA{}".format),
    token(WORD, 36, 36).map("ghp_{}".format),
    token(WORD + "-_", 35, 35).map("AIza{}".format),
    token(WORD, 40, 400).map(
        lambda body: f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    ),
)
# With a mark, so that finding one means finding it; anything else may be in it.
NAMED = st.tuples(token(WORD, 4, 9), st.text(st.characters(codec="utf-8"), max_size=8)).map(
    lambda parts: "Qx7Zkw" + "".join(parts)
)
# A smaller secret would say no more, and every try is a process.
PLANTING = settings(
    deadline=None,
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def strings(value):
    """Every text in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def parts(known, named):
    """What of each secret must not be found: of a long one, every line."""
    long = [line for secret in known for line in secret.split("\n") if "PRIVATE KEY" not in line]
    return [*long, *(secret[:10] for secret in named)]


@settings(PLANTING, max_examples=6)
@given(
    secrets=st.lists(st.tuples(KNOWN, NAMED), min_size=4, max_size=8),
    form=st.sampled_from(["text", "json"]),
)
def test_planted_secrets_reach_no_file_no_console_and_no_reader(secrets, form):
    known, named = [list(part) for part in zip(*secrets, strict=True)]
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place, "logs")
        done = subprocess.run(
            [sys.executable, "-c", PLANT, directory, form],
            input=json.dumps([known, named]),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = records(directory)
        files = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    assert sum(r["message"] == "after" for r in found) == len(secrets), "nothing else is missing"
    texts = "\n".join(text for record in found for text in strings(record))
    for part in parts(known, named):
        assert part not in texts
        assert part not in done.stderr
        assert part not in done.stdout
        for path, content in files.items():
            assert part.encode() not in content, path


@settings(PLANTING, max_examples=4)
@given(secrets=st.lists(st.tuples(KNOWN, NAMED), min_size=4, max_size=8))
def test_planted_secrets_in_piped_lines_reach_no_file(secrets):
    known, named = [list(part) for part in zip(*secrets, strict=True)]
    lines = []
    for secret, password in secrets:
        lines += [
            json.dumps({"msg": f"a {secret} b", "level": "info", "user": {"password": password}}),
            json.dumps({"msg": "password=" + json.dumps(password), "token": [password], secret: 1}),
            f"2026-11-21T10:00:00Z ERROR: got {secret}",
            secret,
            "end of it",
        ]
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place, "logs")
        done = subprocess.run(
            [sys.executable, "-m", "treering", "pipe", "--to", directory],
            input="\n".join(lines),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found = records(directory)
        files = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    assert sum(r["message"] == "end of it" for r in found) == len(secrets)
    texts = "\n".join(text for record in found for text in strings(record))
    for part in parts(known, named):
        assert part not in texts
        assert not any(part.encode() in content for content in files.values())


def test_constants_and_harmless_keys_stay(logs):
    log = treering.get_logger("app")
    log.info("a", password=None, has_secret=True, max_tokens=7, token_count=3, session_id="s-1")
    assert logs()[0]["metadata"] == {
        "password": None,
        "has_secret": True,
        "max_tokens": 7,
        "token_count": 3,
        "session_id": "s-1",
    }


def test_the_receipt_of_an_audit_has_the_line_of_the_journal(logs, journal):
    receipt = treering.get_logger("app").audit("granted to " + AWS, token="t")
    assert b"granted to [REDACTED]" in receipt.record
    (line,) = (line for index, line in Journal(journal).records() if index == receipt.index)
    assert line == receipt.record


def test_a_sealed_journal_with_redacted_records_verifies(logs, journal):
    treering.get_logger("app").info("key " + AWS)
    assert logs()
    treering.shutdown()
    done = subprocess.run(
        [sys.executable, "-m", "treering", "verify", journal],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_redacted_is_counted(logs, journal):
    log = treering.get_logger("app")
    log.info("by key", password="x", token="y")
    log.bind(secret="z").info("bound")
    log.info(f"by value {AWS} {AWS}")
    log.info("clean")
    assert len(logs()) == 4
    counted = treering.statistics()
    assert (counted["redacted"], counted["redactions"]) == (2, 3)
    assert (counted["journal_redacted"], counted["journal_redactions"]) == (1, 2)
    domain = Journal(journal).status()["domain"]
    assert (domain["redacted"], domain["redactions"]) == (3, 5)


def test_it_can_be_switched_off(journal):
    treering.configure(directory=journal, console=False, redaction=False)
    treering.get_logger("app").info("key " + AWS, password="p")
    treering.shutdown()
    (record,) = records(journal)
    assert record["message"] == "key " + AWS
    assert record["metadata"] == {"password": "p"}


def test_keys_and_patterns_are_added_in_code_and_environment(journal, monkeypatch):
    monkeypatch.setenv("TREERING_REDACTION_KEYS", "tax_id, iban")
    monkeypatch.setenv(
        "TREERING_REDACTION_PATTERNS", r'{"customer": "\\bcust-[0-9]+\\b", "email": true}'
    )
    treering.configure(directory=journal, console=False, redaction_allow_keys=["csrf_token"])
    treering.get_logger("app").info(
        "cust-17 wrote to ada@example.org", customerTaxId=7, csrf_token="c", password="p"
    )
    treering.shutdown()
    (record,) = records(journal)
    assert record["message"] == f"{MASK} wrote to {MASK}"
    assert record["metadata"] == {"customerTaxId": MASK, "csrf_token": "c", "password": MASK}


def test_pseudonyms_are_the_same_in_all_processes_of_a_journal(journal):
    program = """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False, redaction_action="hash,card=drop")
        treering.get_logger("app").info("token=abc paid 4111111111111111", token="abc", n=7)
        treering.shutdown()
    """
    run(program, journal)
    run(program, journal)
    one, two = records(journal)
    assert one["metadata"] == two["metadata"]
    assert one["metadata"]["token"].startswith("[HMAC:")
    assert one["message"] == f"token={one['metadata']['token']} paid "
    mode = (journal / "redaction.key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_dropped_fields_are_left_out(journal):
    treering.configure(directory=journal, console=False, redaction_action="drop")
    log = treering.get_logger("app").bind(secret="s")
    log.info("a", password="p", n=1)
    log.info("b", password="p")
    treering.shutdown()
    one, two = records(journal)
    assert one["metadata"] == {"n": 1}
    assert "metadata" not in two
    assert "context" not in one


def test_loggers_bound_before_a_change_follow_it(journal):
    log = treering.get_logger("app").bind(plate="B-XY 1")
    with treering.context(vin="WVW1"):
        treering.configure(directory=journal, console=False, redaction_keys=["plate", "vin"])
        log.info("bound")
        treering.get_logger("app").info("ambient")
        treering.get_logger("app").info("ambient")
    log.info("bound")
    treering.shutdown()
    assert all("XY" not in str(r) and "WVW1" not in str(r) for r in records(journal))
    assert [r["context"] for r in records(journal)][1:] == [
        {"vin": MASK},
        {"vin": MASK},
        {"plate": MASK},
    ]


def test_rules_are_a_fact_of_the_journal_and_a_change_reaches_running_processes(journal):
    program = """
        import sys, treering
        treering.configure(directory=sys.argv[1], console=False)
        log = treering.get_logger("app").bind(plate="B-XY 1")
        print(flush=True)
        for line in sys.stdin:
            log.info(line.strip(), plate="B-XY 1")
            treering.flush()
            print(flush=True)
    """
    child = start(program, journal, stdin=subprocess.PIPE)

    def say(text):
        child.stdin.write(text + "\n")
        child.stdin.flush()
        child.stdout.readline()

    child.stdout.readline()
    say("before")
    treering.configure(
        directory=journal, console=False, redaction_keys=["plate"], redaction_patterns=[r"XY \d"]
    )
    treering.shutdown()
    wait_for(lambda: "settings changed" in str(list(Journal(journal).records())), "the change")
    said = 0

    def is_taken_up():
        nonlocal said
        say(f"after {said}")
        said += 1
        return records_of(journal)[-1]["metadata"]["plate"] == MASK

    wait_for(is_taken_up, "the rules in the other process")
    child.communicate()
    last = records_of(journal)[-1]
    assert last["context"] == {"plate": MASK}
    assert json.loads((journal / "journal.json").read_text())["redaction"]["keys"] == ["plate"]


def records_of(directory):
    found = [json.loads(line) for _, line in Journal(directory).records()]
    return [r for r in found if r["component"] != "treering.journal"]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"redaction_patterns": {"mine": "a(b"}}, ["mine", "unclosed group", "character 2"]),
        ({"redaction_patterns": {"mine": "a(?=b)"}}, ["mine", "look-around"]),
        ({"redaction_patterns": {"mine": "x*"}}, ["mine", "empty text"]),
        ({"redaction_patterns": ["nonsense"]}, ["nonsense", "no built-in pattern"]),
        ({"redaction_patterns": {"card": "4[0-9]+"}}, ["card", "built-in rule"]),
        ({"redaction_patterns": 7}, ["redaction_patterns", "7"]),
        ({"redaction_action": "burn"}, ["redaction_action", "burn", "mask, hash or drop"]),
        ({"redaction_action": {"nothing": "drop"}}, ["redaction_action", "nothing"]),
        ({"redaction_keys": 7}, ["redaction_keys"]),
        ({"redaction_text": "a\nb"}, ["redaction_text"]),
    ],
)
def test_bad_rules_are_refused_and_leave_the_journal_alone(journal, setting, said):
    for directory in (journal, None):
        with pytest.raises(ConfigurationError) as error:
            treering.configure(directory=directory, console=False, **setting)
        assert all(part in str(error.value) for part in said), str(error.value)
    assert not (journal / "journal.json").exists()


def test_lines_of_source_in_the_console_are_redacted(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import treering\n"
        "try:\n"
        "    int('x') if 'postgres://app:s3cr3t@db' else None\n"
        "except ValueError:\n"
        "    treering.get_logger('a').exception('no')\n"
    )
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, timeout=60, check=True
    )
    assert "postgres://app:[REDACTED]@db" in done.stderr
    assert "s3cr3t" not in done.stderr


def test_a_journal_without_rules_keeps_its_file_as_it_was(journal):
    treering.configure(directory=journal, console=False, seal=False)
    treering.shutdown()
    assert "redaction" not in json.loads((journal / "journal.json").read_text())


def test_rules_are_tried_on_a_text_from_the_command_line(journal):
    treering.configure(directory=journal, console=False, redaction_keys=["plate"])
    treering.shutdown()

    def tried(*words, data=None):
        command = [sys.executable, "-m", "treering", "redact", *map(str, words)]
        done = subprocess.run(
            command, input=data, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout

    assert tried("key " + AWS) == (0, f"key {MASK}\n")
    assert tried('{"plate":"B"}') == (1, '{"plate":"B"}\n')
    assert tried("--journal", journal, '{"plate":"B"}') == (0, f'{{"plate":"{MASK}"}}\n')
    assert tried(data="clean\ntoken=abc\n") == (0, f"clean\ntoken={MASK}\n")

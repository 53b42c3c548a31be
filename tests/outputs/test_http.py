"""Records over HTTP: taken once, in order, and told apart when they are not."""

import socket
import ssl
import threading
import time
from email.utils import formatdate

import pytest
from authority import Authority
from batches import batch, deliver, line, of
from sink import Sink, serving

from treering.errors import ConfigurationError, NetworkFailed, SetupRefused
from treering.outputs.http import HttpOutput


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def sink():
    return Sink()


@pytest.fixture
def url(sink):
    with serving(sink) as found:
        yield found


@pytest.fixture
def opened():
    """Makes outputs, and closes them at the end."""
    made = []

    def make(*args, **options):
        made.append(HttpOutput(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_the_destination_gets_the_canonical_lines(sink, url, opened, compression):
    opened(url=url, compression=compression).write(batch(0, 3))

    (request,) = sink.requests
    assert request.lines == [line(0), line(1), line(2)]
    assert request.headers["Content-Type"] == "application/x-ndjson"
    assert request.headers.get("Content-Encoding", "none") == compression


def test_a_connection_is_used_again(sink, url, opened):
    output = opened(url=url)

    for at in range(5):
        output.write(batch(at, at + 1))

    assert sink.connections == 1
    assert sink.taken == [0, 1, 2, 3, 4]


def test_requests_say_which_records_of_which_journal_they_hold(sink, url, opened):
    indexes = [3, 4, 5, 9, 11, 12]

    opened(url=url, origin="host.example/böse 1").write(of([line(n) for n in indexes], indexes))

    assert sink.requests[0].headers["Treering-Journal"] == "host.example/b%C3%B6se%201"
    assert sink.requests[0].headers["Treering-Index"] == "3-5,9,11-12"


def test_erased_records_are_left_out(sink, url, opened):
    sink.answer = lambda request: (503 if 4 in request.numbers else 200, {}, b"")
    text = "x" * 600
    lines = [b"", line(1, text=text), b"", line(3, text=text), line(4, text=text)]

    with pytest.raises(NetworkFailed) as caught:
        opened(url=url, max_body_bytes=1024).write(of(lines, range(5)))

    assert [request.headers["Treering-Index"] for request in sink.requests] == ["1", "3", "4"]
    assert sink.taken == [1, 3]
    assert caught.value.accepted == 4


def test_large_batches_go_in_requests_of_bounded_size(sink, url, opened):
    opened(url=url, max_body_bytes="4KB").write(batch(0, 200))

    assert sink.taken == list(range(200))
    assert max(len(request.text) for request in sink.requests) <= 4096


def test_records_with_many_gaps_keep_the_header_short(sink, url, opened):
    indexes = range(0, 3000, 2)

    opened(url=url).write(of([line(n) for n in indexes], indexes))

    assert sink.taken == list(indexes)
    assert max(len(request.headers["Treering-Index"]) for request in sink.requests) < 4096


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_an_answer_that_is_no_receipt_leaves_every_record(sink, url, opened, status):
    sink.answer = lambda request: (status, {}, b"not now")

    with pytest.raises(NetworkFailed, match=f"{status} 'not now'") as caught:
        opened(url=url).write(batch(0, 5))

    assert caught.value.accepted == 0


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 7, 7),
        (formatdate(time.time() + 3000, usegmt=True), 2000, 3001),
        ("999999999", 3600, 3600),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0, 0),
        ("soon", None, None),
        (None, None, None),
    ],
    ids=["seconds", "date", "for ever", "past", "word", "nothing"],
)
def test_a_destination_may_ask_for_patience(sink, url, opened, value, least, most):
    headers = {} if value is None else {"Retry-After": value}
    sink.answer = lambda request: (429, headers, b"")

    with pytest.raises(NetworkFailed) as caught:
        opened(url=url).write(batch(0, 1))

    found = caught.value.retry_after_s
    assert found is None if least is None else least <= found <= most


def test_what_was_taken_before_a_failure_does_not_come_again(sink, url, opened):
    sink.answer = lambda request: (503 if 60 in request.numbers else 200, {}, b"")

    with pytest.raises(NetworkFailed) as caught:
        opened(url=url, max_body_bytes="4KB").write(batch(0, 100))

    assert sink.taken == list(range(caught.value.accepted))
    assert 0 < caught.value.accepted <= 60


def test_a_body_that_is_too_large_goes_in_smaller_ones(sink, url, opened):
    sink.answer = lambda request: (413 if len(request.text) > 1500 else 200, {}, b"")
    output = opened(url=url)

    output.write(batch(0, 100))
    asked = len(sink.requests)
    output.write(batch(100, 200))

    assert sink.taken == list(range(200))
    assert len(sink.requests) - asked < asked, "it has learned"


def test_one_record_that_is_too_large_is_refused_and_counted(sink, url, opened):
    sink.answer = lambda request: (413 if len(request.text) > 9000 else 200, {}, b"")
    lines = [line(0), line(1, text="x" * 10_000), line(2)]

    assert opened(url=url).write(of(lines, range(3))) == 1

    assert sink.taken == [0, 2]


@pytest.mark.parametrize("status", [400, 422])
def test_a_record_that_cannot_be_read_there_does_not_hold_up_the_others(sink, url, opened, status):
    def answer(request):
        return (status if 17 in request.numbers else 200), {}, b"field n is odd"

    sink.answer = answer
    output = opened(url=url)

    assert output.write(batch(0, 40)) == 1

    assert sink.taken == [n for n in range(40) if n != 17]
    assert "record 17" in output.statistics()["last_refusal"]
    assert "field n is odd" in output.statistics()["last_refusal"]


def test_a_destination_that_never_took_anything_refuses_nothing(sink, url, opened):
    sink.answer = lambda request: (400, {}, b"no such interface")

    with pytest.raises(SetupRefused, match="no such interface") as caught:
        opened(url=url).write(batch(0, 4))

    assert caught.value.accepted == 0


def test_refusals_before_a_failure_are_counted_with_the_next_batch(sink, url, opened):
    def answer(request):
        if 20 in request.numbers and len(sink.requests) < 40:
            return 503, {}, b""
        return (400 if 3 in request.numbers else 200), {}, b""

    sink.answer = answer
    output = opened(url=url, max_body_bytes=1024)
    refused = []
    at = 0
    while at < 30:
        try:
            refused.append(output.write(batch(at, 30)))
            at = 30
        except NetworkFailed as error:
            at += error.accepted

    assert sum(refused) == 1
    assert sink.taken == [n for n in range(30) if n != 3]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_wrong_credentials_and_addresses_are_configuration_errors(sink, url, opened, status):
    sink.answer = lambda request: (status, {}, b"who are you")

    with pytest.raises(SetupRefused, match=f"{status} 'who are you'") as caught:
        opened(url=url).write(batch(0, 1))

    assert caught.value.kind == "configuration"
    assert caught.value.retry_after_s >= 30


def test_records_and_credentials_do_not_follow_a_redirect(sink, url, opened):
    elsewhere = Sink()
    with serving(elsewhere) as other:
        sink.answer = lambda request: (307, {"Location": other}, b"")

        with pytest.raises(SetupRefused, match="redirects are not followed"):
            opened(url=url, token="s3cret").write(batch(0, 1))

    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"token": "t0ken"}, "Bearer t0ken"),
        ({"username": "max", "password": "s3cret"}, "Basic bWF4OnMzY3JldA=="),
        ({"headers": {"Authorization": "ApiKey k"}}, "ApiKey k"),
        ({"headers": "X-A=1,Authorization=ApiKey k"}, "ApiKey k"),
    ],
    ids=["token", "basic", "header", "headers as text"],
)
def test_credentials_are_sent(sink, url, opened, options, wanted):
    opened(url=url, **options).write(batch(0, 1))

    assert sink.requests[0].headers["Authorization"] == wanted


def test_a_token_that_was_replaced_is_read_again(sink, url, opened, tmp_path):
    file = tmp_path / "token"
    file.write_text("old\n")
    sink.answer = lambda request: (
        200 if request.headers["Authorization"] == "Bearer new" else 401,
        {},
        b"",
    )
    output = opened(url=url, token_file=file)
    with pytest.raises(SetupRefused):
        output.write(batch(0, 1))
    file.write_text("new\n")

    output.close()
    output.write(batch(0, 1))

    assert sink.taken == [0]


def test_secrets_are_not_shown(sink, opened):
    with serving(sink) as found:
        output = opened(url=f"{found}?key=hush-1", token="hush-2", headers={"X-Api-Key": "hush-3"})
        output.write(batch(0, 1))
    with pytest.raises(NetworkFailed) as caught:
        output.write(batch(1, 2))

    assert "hush" not in f"{output!r} {output.statistics()} {output.describe()} {caught.value}"


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"url": "ftp://host/"}, "'ftp://host/'"),
        ({"url": "https://max:hush@host/"}, "without user and password"),
        ({"url": "http:///logs"}, "https://host/path"),
        ({"url": "http://host/", "token": "hush\r\nX: 1"}, "printable ASCII"),
        ({"url": "http://host/", "headers": {"Content-Length": "hush"}}, "Name=value pairs"),
        ({"url": "http://host/", "headers": {"A": "hush\n"}}, "Name=value pairs"),
        ({"url": "http://host/", "token": "hush", "username": "u"}, "not both"),
        ({"url": "http://host/", "password": "hush"}, "with a username"),
        ({"url": "http://host/", "compression": "lzma"}, "gzip, zstd or none"),
        ({"url": "http://host/", "timeout_s": 0}, "seconds from 0.1"),
        ({"url": "https://host/", "ca_file": "/nowhere.pem"}, "ca_file"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value,
)
def test_options_that_cannot_be_used_are_named_without_their_secrets(options, wanted):
    with pytest.raises(ConfigurationError) as caught:
        HttpOutput(**options)

    assert wanted in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_token_file_that_is_missing_is_named(url, opened, tmp_path):
    output = opened(url=url, token_file=tmp_path / "absent")

    with pytest.raises(SetupRefused, match="absent"):
        output.open()


def test_nobody_listening_is_a_network_error(opened):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with pytest.raises(NetworkFailed, match="refused"):
        opened(url=f"http://127.0.0.1:{port}/").write(batch(0, 1))


def test_a_destination_that_says_nothing_is_given_up(opened):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"

        with pytest.raises(NetworkFailed, match="timed out") as caught:
            opened(url=url, timeout_s=0.2).write(batch(0, 3))

    assert caught.value.accepted == 0


def test_a_server_that_accepts_and_closes_gets_nothing_as_delivered(opened):
    with socket.create_server(("127.0.0.1", 0)) as rude:

        def close_each():
            while True:
                try:
                    rude.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=close_each)
        thread.start()
        output = opened(url=f"http://127.0.0.1:{rude.getsockname()[1]}/")

        for _ in range(3):
            with pytest.raises(NetworkFailed):
                output.write(batch(0, 3))

        rude.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_an_answer_without_an_end_does_not_hold_the_output(sink, url, opened):
    sink.answer = lambda request: (200, {}, b"x" * 1_000_000)
    output = opened(url=url)

    output.write(batch(0, 1))
    output.write(batch(1, 2))

    assert sink.taken == [0, 1]


def test_a_server_that_is_away_for_a_while_under_load_misses_nothing(opened):
    sink = Sink()
    away = threading.Event()
    with serving(sink) as first:
        port = int(first.rsplit(":", 1)[1].split("/")[0])
        output = opened(url=first, timeout_s=2)

        def leave(at):
            if at >= 1500:
                away.set()

        thread = threading.Thread(target=deliver, args=(output, 3000), kwargs={"after_each": leave})
        thread.start()
        assert away.wait(20)
    with serving(sink, port=port):
        thread.join()

    assert sorted(set(sink.taken)) == list(range(3000))
    assert len(sink.taken) - 3000 <= 100, "only what was being answered comes twice"


def test_a_proxy_of_the_environment_is_used(sink, url, opened, monkeypatch):
    proxy = Sink()
    with serving(proxy) as found:
        monkeypatch.setenv(
            "http_proxy", found.removesuffix("/logs").replace("://", "://max:s3cret@")
        )
        monkeypatch.setenv("no_proxy", "elsewhere.example")

        opened(url="http://logs.example/in").write(batch(0, 1))

    assert proxy.requests[0].path == "http://logs.example/in"
    assert proxy.requests[0].headers["Proxy-Authorization"] == "Basic bWF4OnMzY3JldA=="


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def served(files, *, demands=None):
    """A server's TLS context; `demands` is the authority whose certificates it wants to see."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*files)
    if demands is not None:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(demands.file)
    return made


def test_a_destination_that_proves_who_it_is_gets_records(sink, authority, opened):
    with serving(sink, tls=served(authority.issue("server"))) as url:
        opened(url=url, ca_file=authority.file).write(batch(0, 2))

    assert sink.taken == [0, 1]


@pytest.mark.parametrize("case", ["stranger", "expired", "other host", "system's authorities"])
def test_a_destination_that_does_not_gets_none(sink, authority, opened, tmp_path, case):
    issuer = Authority(tmp_path, "stranger") if case == "stranger" else authority
    hosts = ("example.org",) if case == "other host" else ("127.0.0.1",)
    files = issuer.issue(case.replace("'", ""), hosts=hosts, expired=case == "expired")
    options = {} if case.startswith("system") else {"ca_file": authority.file}

    with serving(sink, tls=served(files)) as url:
        with pytest.raises(NetworkFailed, match=r"(?i)certificate"):
            opened(url=url, **options).write(batch(0, 2))

    assert sink.requests == []


def test_the_name_in_the_certificate_can_be_said(sink, authority, opened):
    files = authority.issue("named", hosts=("logs.example",))
    with serving(sink, tls=served(files)) as url:
        options = {"ca_file": authority.file, "server_name": "logs.example"}
        opened(url=url, **options).write(batch(0, 1))

    assert sink.taken == [0]


def test_a_client_certificate_is_shown_when_demanded(sink, authority, opened):
    certificate, key = authority.issue("client")
    context = served(authority.issue("server"), demands=authority)
    with serving(sink, tls=context) as url:
        with pytest.raises(NetworkFailed):
            opened(url=url, ca_file=authority.file).write(batch(0, 1))
        opened(url=url, ca_file=authority.file, client_cert=certificate, client_key=key).write(
            batch(0, 1)
        )

    assert sink.taken == [0]


def test_verification_can_be_turned_off_and_that_is_complained_about(
    sink, authority, opened, capfd
):
    with serving(sink, tls=served(authority.issue("server"))) as url:
        from treering.outputs import _tls

        _tls._complain.cache_clear()
        opened(url=url, tls_verify=False).write(batch(0, 1))

    assert sink.taken == [0]
    assert "tls_verify is off" in capfd.readouterr().err

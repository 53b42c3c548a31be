"""Records to OpenTelemetry, played by a server that reads with OpenTelemetry's own classes."""

import socket
import ssl
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from authority import Authority
from batches import messages
from collector import Collector, attributes, collecting, log_records, partial
from programs import wait_for

import treering
from treering.errors import ConfigurationError, NetworkFailed, SetupRefused
from treering.outputs.otlp import OtlpOutput


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def collector():
    return Collector()


@pytest.fixture
def endpoint(collector):
    with collecting(collector) as url:
        yield url


@pytest.fixture
def output(endpoint):
    made = OtlpOutput(endpoint=endpoint, timeout_s=5)
    made.open()
    yield made
    made.close()


def resource_of(collector):
    return attributes(collector.exports[-1].resource_logs[0].resource.attributes)


def test_records_arrive_at_the_path_for_logs(collector, output):
    assert output.write(messages("one", "two")) == 0

    assert collector.bodies() == ["one", "two"]
    request = collector.requests[0]
    path, headers = request.path, request.headers
    assert path == "/v1/logs"
    assert headers["Content-Type"] == "application/x-protobuf"
    assert headers["Content-Encoding"] == "gzip"


def test_a_collector_that_does_not_unpack_gets_plain_requests(collector, endpoint):
    output = OtlpOutput(endpoint=endpoint + "/base/", compression="none")
    output.write(messages("one"))
    output.close()

    assert collector.bodies() == ["one"]
    request = collector.requests[0]
    path, headers = request.path, request.headers
    assert path == "/base/v1/logs"
    assert "Content-Encoding" not in headers


def test_the_resource_says_who_logs(collector, output):
    output.write(messages("one"))

    found = resource_of(collector)
    assert found["service.name"].startswith("unknown_service:python")
    assert found["host.name"] == socket.gethostname()
    assert found["process.runtime.version"] == ".".join(map(str, sys.version_info[:3]))
    assert found["telemetry.sdk.name"] == "treering"
    assert found["telemetry.sdk.version"] == treering.__version__
    assert len(found["service.instance.id"]) == 36
    assert "process.pid" not in found, "one output ships the records of many processes"


def test_the_resource_is_as_the_environment_and_the_program_say(collector, endpoint, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "from-variable")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=x, service.version=1%2E2,team=a")
    output = OtlpOutput(
        endpoint=endpoint,
        resource={"team": "b", "host.name": None, "ports": [1, 2]},
        scope_attributes={"tier": "web"},
    )
    output.write(messages("one"))
    output.close()

    found = resource_of(collector)
    assert found["service.name"] == "from-variable"
    assert found["service.version"] == "1.2"
    assert found["team"] == "b"
    assert found["ports"] == [1, 2]
    assert "host.name" not in found
    scope, _ = log_records(collector.exports[0])[0]
    assert attributes(scope.attributes) == {"tier": "web"}

    named = OtlpOutput(endpoint=endpoint, service_name="by-name")
    named.write(messages("two"))
    named.close()
    assert resource_of(collector)["service.name"] == "by-name"


def test_the_environment_says_where_to_and_with_what(collector, endpoint, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b,x-tenant=t")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3000")
    output = OtlpOutput()
    output.write(messages("one"))
    output.close()

    request = collector.requests[0]
    path, headers = request.path, request.headers
    assert (path, headers["api-key"], headers["x-tenant"]) == ("/v1/logs", "a b", "t")
    assert "Content-Encoding" not in headers


def test_what_the_environment_says_for_logs_wins_over_the_rest(collector, endpoint, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", endpoint + "/own/path")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "k=logs")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "k=all")
    output = OtlpOutput()
    output.write(messages("one"))
    output.close()

    request = collector.requests[0]
    path, headers = request.path, request.headers
    assert (path, headers["k"]) == ("/own/path", "logs")


def test_arguments_win_over_the_environment(collector, endpoint, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://127.0.0.1:1/nowhere")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    output = OtlpOutput(endpoint=endpoint, compression="gzip", headers={"x-a": "b"})
    output.write(messages("one"))
    output.close()

    request = collector.requests[0]
    path, headers = request.path, request.headers
    assert (path, headers["Content-Encoding"], headers["x-a"]) == ("/v1/logs", "gzip", "b")


def test_what_a_partial_success_rejects_is_counted(collector, output):
    output.write(messages("fine"))
    collector.answers.append(partial(2, "no time stamp"))

    assert output.write(messages("a", "b", "c")) == 2
    assert output.write(messages("d")) == 0
    assert output.statistics()["last_refusal"] == "no time stamp"


def test_a_warning_refuses_nothing_and_is_shown(collector, output):
    collector.answers.append(partial(0, "deprecated endpoint"))

    assert output.write(messages("a")) == 0
    assert output.statistics()["last_refusal"] == "deprecated endpoint"


@pytest.mark.parametrize("body", [b"{}", b"ok", b"\x0a\xff", b"\x0a\x02\x08", b"\xff" * 50])
def test_an_answer_that_is_no_message_is_taken_for_what_its_status_says(collector, output, body):
    collector.answers.append((200, {}, body))

    assert output.write(messages("a")) == 0


@pytest.mark.parametrize("status", [400, 422])
def test_the_one_record_that_cannot_be_read_is_found_and_refused(collector, output, status):
    collector.refuses = lambda body: body == "bad"
    texts = [f"record {at}" for at in range(20)]
    texts[13] = "bad"

    assert output.write(messages(*texts)) == 1
    assert collector.bodies() == [message for message in texts if message != "bad"]
    assert output.statistics()["last_refusal"] == "record 13: 400 'unreadable'"


def test_a_request_that_is_too_large_is_sent_in_parts(collector, output):
    collector.answers += [(413, {}, b""), (413, {}, b"")]
    texts = [f"record {at}" for at in range(20)]

    assert output.write(messages(*texts)) == 0
    assert collector.bodies() == texts
    assert len(collector.exports) > 2


def test_a_batch_is_sent_in_requests_of_the_size_that_was_asked_for(collector, endpoint):
    output = OtlpOutput(endpoint=endpoint, max_body_bytes=1024)
    texts = [f"record {at}" for at in range(50)]
    output.write(messages(*texts))
    output.close()

    assert collector.bodies() == texts
    assert len(collector.exports) > 4


def test_whoever_refuses_everything_is_no_judge_of_records(collector, output):
    collector.refuses = lambda body: True

    with pytest.raises(SetupRefused, match="refuses every record") as refused:
        output.write(messages("a", "b"))
    assert refused.value.accepted == 0


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_collector_is_asked_again_when_it_says(collector, output, status):
    collector.answers.append((status, {"Retry-After": "7"}, b"later"))

    with pytest.raises(NetworkFailed, match=f"answered {status} 'later'") as busy:
        output.write(messages("a"))
    assert busy.value.retry_after_s == 7
    assert busy.value.accepted == 0
    output.write(messages("a"))
    assert collector.bodies() == ["a"]


def test_what_was_taken_before_a_failure_is_told(collector, endpoint):
    output = OtlpOutput(endpoint=endpoint, max_body_bytes=1024)
    texts = [f"record {at}" for at in range(50)]
    collector.answers += [partial(1, "one of them"), (200, {}, b""), (503, {}, b"")]

    with pytest.raises(NetworkFailed) as failed:
        output.write(messages(*texts))
    accepted = failed.value.accepted
    assert 0 < accepted < 50
    assert output.write(messages(*texts).after(accepted)) == 1, (
        "what was refused before is told now"
    )
    assert collector.bodies() == texts[accepted:]
    output.close()


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_a_wrong_address_keeps_the_records(collector, output, status):
    collector.answers.append((status, {"Location": "/x"}, b""))

    with pytest.raises(SetupRefused, match=str(status)) as refused:
        output.write(messages("a"))
    assert refused.value.accepted == 0


def test_nobody_there_is_a_failure_of_the_network():
    output = OtlpOutput(endpoint="http://127.0.0.1:1")
    output.open()

    with pytest.raises(NetworkFailed, match="gave no answer"):
        output.write(messages("a"))
    output.close()


def test_tls_verifies_the_collector(tmp_path):
    authority = Authority(tmp_path / "known")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue("server"))
    collector = Collector()
    with collecting(collector, tls=tls) as url:
        known = OtlpOutput(endpoint=url, ca_file=str(authority.file))
        known.write(messages("secret"))
        known.close()
        assert collector.bodies() == ["secret"]

        stranger = Authority(tmp_path / "unknown", "stranger")
        wary = OtlpOutput(endpoint=url, ca_file=str(stranger.file))
        with pytest.raises(NetworkFailed, match="certificate"):
            wary.write(messages("secret"))
        wary.close()
        assert collector.bodies() == ["secret"]


def test_a_collector_that_is_stopped_for_a_while_under_load_misses_nothing(journal):
    treering.configure(directory=journal, console=False)
    log = treering.get_logger("app")
    before, after = Collector(), Collector()
    with collecting(before) as url:
        treering.add_output(OtlpOutput(endpoint=url, components="app", timeout_s=5))
        for number in range(50):
            log.info(f"record {number}")
        wait_for(lambda: len(before.bodies()) == 50, "first records")
    for number in range(50, 2000):
        log.info(f"record {number}")
    wait_for(lambda: treering.list_outputs()[0]["failures"] >= 2, "the outage")

    with collecting(after, port=urlsplit(url).port):
        wait_for(lambda: "record 1999" in after.bodies(), "the rest")
        treering.shutdown()
    got = before.bodies() + after.bodies()
    assert list(dict.fromkeys(got)) == [f"record {number}" for number in range(2000)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"endpoint": "collector:4318"}, "endpoint of output 'otlp' is"),
        (
            {"endpoint": "https://me:secret@host"},
            "'https://host': 'https://host:4318' without user",
        ),
        (
            {"headers": {"a b": "secret"}},
            "headers of output 'otlp' is '********': Name=value pairs",
        ),
        ({"resource": {"a": object}}, "resource of output 'otlp' is"),
        ({"resource": "a"}, "resource of output 'otlp' is 'a': name=value pairs"),
        ({"scope_attributes": {1: 2}}, "scope_attributes of output 'otlp' is {1: 2}: name=value"),
        ({"compression": "zip"}, "compression of output 'otlp' is 'zip': gzip or none"),
        ({"max_body_bytes": 1}, "max_body_bytes of output 'otlp' is 1: a size from 1KB"),
        ({"timeout_s": 0}, "timeout_s of output 'otlp' is 0: seconds from 0.1"),
        ({"service_name": ""}, "service_name of output 'otlp' is '': a name"),
    ],
)
def test_what_cannot_be_used_is_named(options, message):
    with pytest.raises(ConfigurationError) as refused:
        OtlpOutput(**options)
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "'collector': 'https://host:4318' without"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "1s", "'1s': milliseconds from 100"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret", "'…': name=value pairs"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "best", "'best': gzip or none"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a", "'a': name=value pairs"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(monkeypatch, variable, value, message):
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError) as refused:
        OtlpOutput()
    assert f"environment variable {variable} is {message}" in str(refused.value)


def test_a_missing_urllib3_is_told_with_its_remedy():
    program = """
import sys
from importlib.machinery import PathFinder
class Hidden(PathFinder):
    @classmethod
    def find_spec(cls, name, *rest):
        return None if name == "urllib3" else super().find_spec(name, *rest)
sys.meta_path = [finder if finder is not PathFinder else Hidden for finder in sys.meta_path]
from treering.errors import ConfigurationError
from treering.outputs.otlp import OtlpOutput
try:
    OtlpOutput()
except ConfigurationError as error:
    print(error, error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "urllib3, which is not installed" in done.stdout
    assert "pip install 'treering[http]'" in done.stdout

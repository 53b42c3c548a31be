"""What every middleware does with a request, shown with the plainest of them."""

import pytest
from asking import ask_wsgi

import treering
from treering.integrations.wsgi import TreeringMiddleware

log = treering.get_logger("shop")


def shop(environ, start_response):
    log.info("inside")
    if environ["PATH_INFO"] == "/broken":
        raise ValueError("no such till")
    status = environ["PATH_INFO"][1:4] or "200"
    start_response(f"{status} Said", [("Content-Type", "text/plain")])
    return [b"o", b"k"]


def asked(logs, *args, options=None, **request):
    body, told = ask_wsgi(TreeringMiddleware(shop, **options or {}), *args, **request)
    inside, access = [r for r in logs() if r["component"] in {"shop", "http.access"}][-2:]
    assert inside["context"]["request_id"] == access["context"]["request_id"]
    return inside, access, told, body


def test_a_request_leaves_one_access_record(logs):
    headers = [("User-Agent", "curl/8"), ("X-Correlation-ID", "order-7")]
    inside, access, told, body = asked(logs, "/404", method="POST", headers=headers, query="key=s")

    assert body == b"ok" and len(logs()) == 2
    context = inside["context"]
    assert context.pop("request_id") == told["headers"]["x-request-id"]
    assert context == {
        "method": "POST",
        "endpoint": "/404",
        "ip_address": "203.0.113.9",
        "user_agent": "curl/8",
        "correlation_id": "order-7",
    }
    assert (access["level"], access["category"]) == ("WARNING", "api")
    assert access["message"] == "POST /404 404"
    assert access["metadata"] == {
        "method": "POST",
        "path": "/404",
        "status": 404,
        "response_bytes": 2,
    }
    assert 0 < access["performance_data"]["duration_ms"] < 10_000


@pytest.mark.parametrize(
    ("path", "level"), [("/201", "INFO"), ("/302", "INFO"), ("/400", "WARNING"), ("/503", "ERROR")]
)
def test_the_status_decides_the_level(logs, path, level):
    assert asked(logs, path)[1]["level"] == level


@pytest.mark.parametrize("sent", ["abc-1", "a" * 128, "3f2/x+y=="])
def test_a_request_id_comes_in_and_goes_back(logs, sent):
    _, access, told, _ = asked(logs, headers=[("X-Request-ID", sent)])
    assert access["context"]["request_id"] == told["headers"]["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "a" * 129, "a b", "a\tb", "ü", "<script>", "a,b", "a;b", '"'])
def test_what_is_no_request_id_is_replaced(logs, sent):
    _, access, told, _ = asked(logs, headers=[("X-Request-ID", sent)])
    found = told["headers"]["x-request-id"]
    assert found == access["context"]["request_id"] != sent
    assert len(found) == 32 and int(found, 16)


def test_the_header_of_the_request_id_can_be_another(logs):
    options = {"request_id_header": "X-Amzn-Trace"}
    _, access, told, _ = asked(logs, headers=[("X-Amzn-Trace", "here")], options=options)
    assert access["context"]["request_id"] == told["headers"]["x-amzn-trace"] == "here"


TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize("header", [f"00-{TRACE}-{PARENT}-01", f"cc-{TRACE}-{PARENT}-00-more"])
def test_a_trace_goes_on_with_a_span_of_its_own(logs, header):
    inside, access, _, _ = asked(logs, headers=[("traceparent", header)])

    assert inside["trace_id"] == access["trace_id"] == TRACE
    assert inside["span_id"] == access["span_id"] != PARENT
    assert len(access["span_id"]) == 16
    assert access["metadata"]["parent_span_id"] == PARENT


@pytest.mark.parametrize(
    "header",
    [
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE[1:]}-{PARENT}-01",
        f"cc-{TRACE}-{PARENT}-01more",
        f"0-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-0g",
        f"00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01",
        f" 00-{TRACE}-{PARENT}-01",
        "",
    ],
)
def test_an_invalid_traceparent_is_ignored(logs, header):
    _, access, _, _ = asked(logs, headers=[("traceparent", header)])
    assert "trace_id" not in access and "span_id" not in access


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ((), "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (["10.0.0.0/8"], "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (["10.0.0.0/8"], "10.0.0.1", "198.51.100.1", "198.51.100.1"),
        (["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (["10.0.0.0/8"], "10.0.0.1", "198.51.100.1, 10.2.2.2", "198.51.100.1"),
        (["10.0.0.0/8"], "10.0.0.1", "10.3.3.3,10.2.2.2", "10.3.3.3"),
        (["10.0.0.0/8"], "10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        (["10.0.0.0/8"], "10.0.0.1", "[2001:db8::1]:80", "2001:db8::1"),
        (["::1"], "::1", "2001:db8::1", "2001:db8::1"),
        (["10.0.0.0/8"], "10.0.0.1", "<script>", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "198.51.100.1, forged", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "", "10.0.0.1"),
        ("unix", "", "198.51.100.1", "198.51.100.1"),
        ((), "", "198.51.100.1", None),
    ],
)
def test_only_trusted_proxies_say_who_the_client_is(logs, trusted, peer, forwarded, client):
    inside, *_ = asked(
        logs,
        peer=peer,
        headers=[("X-Forwarded-For", forwarded)],
        options={"trusted_proxies": trusted},
    )
    assert inside["context"].get("ip_address") == client


NETWORKS = "an address, a network such as 10.0.0.0/8, or unix"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            {"trusted_proxies": ["nginx"]},
            f"trusted_proxies has 'nginx': {NETWORKS} would be right",
        ),
        (
            {"request_id_header": "X Id"},
            "request_id_header is 'X Id': a header's name (RFC 9110, 5.1) would be right",
        ),
    ],
)
def test_a_bad_option_is_refused_at_the_start(option, message):
    with pytest.raises(treering.ConfigurationError) as error:
        TreeringMiddleware(shop, **option)
    assert str(error.value) == message


def test_health_checks_are_skipped_while_all_is_well(logs):
    app = TreeringMiddleware(shop, skip_paths=["/200", "/50*"])
    for path in ("/200", "/201", "/503", "/500"):
        ask_wsgi(app, path)

    paths = [r["metadata"]["path"] for r in logs() if r["component"] == "http.access"]
    assert paths == ["/201", "/503", "/500"]
    assert sum(r["message"] == "inside" for r in logs()) == 4


def test_the_query_is_logged_only_when_asked(logs):
    assert "query" not in asked(logs, query="token=secret")[1]["metadata"]
    assert asked(logs, query="a=1", options={"log_query": True})[1]["metadata"]["query"] == "a=1"


def test_user_and_more_fields_come_from_the_application(logs):
    options = {"user": lambda environ: 7, "fields": lambda environ: {"tenant": "acme"}}
    inside, access, _, _ = asked(logs, options=options)
    assert inside["context"]["user_id"] == access["context"]["user_id"] == 7
    assert inside["context"]["tenant"] == "acme"


def test_an_application_that_cannot_say_breaks_nothing(logs):
    options = {"user": lambda environ: 1 / 0, "fields": lambda environ: {}["tenant"]}
    _, access, _, body = asked(logs, options=options)

    assert body == b"ok" and access["metadata"]["status"] == 200
    told = [r["exception"]["type"] for r in logs() if r["component"] == "http.error"]
    assert set(told) == {"ZeroDivisionError", "KeyError"}


def test_an_exception_is_logged_once_and_raised_on(logs):
    with pytest.raises(ValueError, match="no such till"):
        ask_wsgi(TreeringMiddleware(TreeringMiddleware(shop)), "/broken")

    errors = [r for r in logs() if "exception" in r]
    assert [r["message"] for r in errors] == ["Unhandled exception in GET /broken"]
    assert errors[0]["exception"]["stack"][-1]["function"] == "shop"
    assert errors[0]["context"]["request_id"]
    access = [r for r in logs() if r["component"] == "http.access"]
    assert [r["metadata"]["status"] for r in access] == [500, 500]


def test_a_client_cannot_make_records_long(logs):
    inside, *_ = asked(logs, "/200" + "/x" * 5000, headers=[("User-Agent", "m" * 60_000)])
    assert len(inside["context"]["endpoint"]) == len(inside["context"]["user_agent"]) == 257


def test_a_streamed_response_has_the_context_to_its_end(logs):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])

        def parts():
            log.info("first part")
            yield b"a"
            log.info("second part")
            yield b"bc"

        return parts()

    ask_wsgi(TreeringMiddleware(app))

    *parts, access = logs()
    assert [r["message"] for r in parts] == ["first part", "second part"]
    assert len({r["context"]["request_id"] for r in logs()}) == 1
    assert access["metadata"]["response_bytes"] == 3
    assert treering.current_context() == {}

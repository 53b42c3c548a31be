//! Lines of `PoseidonOS`: from its documents at `f1fb65e9d`, `0c42e4114`, `1d0dc0d26`, `689f540bd` and
//! `19e4b862a` (BSD 3-clause, Samsung Electronics Corporation); `CAPITALS` follows the code of the last.

use serde_json::json;

use super::piped;

pub const PARENTHESES: &str = "[2022-10-19 19:09:02.029184126][15539][15579][87149155][1201][ info  ]  CLI_SERVER_INITIALIZED - The CLI server has been initialized successfully. (cause: NONE, solution: NONE, variables: max_cli_count:5), source: cli_server.cpp:424 CLIServer(), pos_version: v0.12.0-rc0";
pub const TRACE: &str = r#"[2022-10-19 19:09:20.253586649][15539][15585][87149155][1208][ trace ]  CLI_MSG_RECEIVED - CLI server has recieved a message from a CLI client. (cause: NONE, solution: NONE, variables: request: command: "SETTELEMETRYPROPERTY, a:1" param { publicationListPath: "/etc/l", b:2 }, gRPC_error_code: 0, gRPC_error_details: , gRPC_error_essage: ), source: pos/src/grpc_cli_server.cpp:728 _LogCliRequest(), pos_version: v0.12.0-rc0"#;
pub const COMMAS: &str = "[2022-03-04 15:56:08.557557315][23198][23302][78442531][1207][ info  ]     CLI_CLIENT_DISCONNECTED - A client has been disconnected., cause: , solution:, command: LISTARRAY, variables:fd:655, source: cli_server.cpp:168 RemoveClient(), pos_version: v0.10.6";
pub const QUOTES: &str = r#"[10262307][21743][21776][2022-02-18 13:47:14.993519][1502][I]   CLI_CLIENT_ACCEPTED - MSG:"A new client has been accepted (connected)." CAUSE:"" SOLUTION:"" VARIABLES:"fd:655, client_ip:127.0.0.1, client_port:48492" @ cli_server.cpp:458 CLIServer() - POS: v0.10.6"#;
pub const CAPITALS: &str = "[2023-03-24 10:00:01.000000002][7][8][9][2504][warning] ARRAY_MOUNT_FAILED - Failed to mount the array. MESSAGE: array_name:a, CAUSE: is no cause, size: 1GB CAUSE: The array is broken. REPETITION: 12 SOURCE: array.cpp:86 Mount() VERSION: v0.12.0";
pub const COMMA_AT_THE_END: &str = r#"{"datetime":"2022-03-04 15:54:01.407056341","process_id":19646,"thread_id":19985,"pos_id":80861475,"event_id":1207,"level":"info","description":{"event_name:":"CLI_CLIENT_DISCONNECTED","message":"A client has been disconnected.","cause":"","solution":"","command":"LISTARRAY","variables":"fd:655"},"source":"cli_server.cpp","line":"168","function":"RemoveClient","pos_version":"v0.10.6"},"#;
pub const LOGGER_NAME: &str = r#"{"instance_id":10262307,"processId":21743,"threadId":21776,"posVersion":"v0.10.6","datetime":"2022-02-18 13:47:16.463356","logger_name":"pos_logger","level":"info","description":{"event_name:":"CLI_CLIENT_ACCEPTED","message":"A new client has been accepted (connected).","cause":"","solution":"","variables":"fd:655, client_ip:127.0.0.1, client_port:48680"},"source":"cli_server.cpp","line":"458","function":"CLIServer"}"#;
pub const FLAT: &str = r#"{"instanceId": 1638929401,"eventId": 10005328,"datetime": "2021-12-09 03:00:93.999","level": "info","eventName":"ARRAY_CREATE_FAILURE","moduleName": "ArrayManager","errorCode": 301,"message": "Failed to create an array","cause": "Array name has a special character","trace": "","variables": [ {"arrayName": "array1"},{"volumeName": "volum@1"}],"source": "array_name_policy.cpp:80","posVersion":"pos-v0.10.0"}"#;
pub const NESTED: &str = r#"{"instanceId": 1638929401,"eventId": 10005328,"datetime": "2021-12-09 03:00:93.999","level": "info","description":{"eventName":"ARRAY_CREATE_FAILURE","message":"Failed to create an array","cause": "Array name has a special character","trace":"","variables":[{"arrayName": "array1"},{"volumeName": "volum@1"}]},"source": "array_name_policy.cpp:80","posVersion":"pos-v0.10.0"}"#;

#[test]
fn a_line_of_text_gives_the_event_its_place_and_its_variables() {
    let found = piped(COMMAS.as_bytes());

    assert_eq!(
        found[0],
        json!({
            "timestamp": "2022-03-04T15:56:08.557557315Z",
            "level": "INFO",
            "component": "pipe",
            "message": "A client has been disconnected.",
            "event_id": "1207",
            "event_name": "CLI_CLIENT_DISCONNECTED",
            "function": "RemoveClient",
            "file": "cli_server.cpp",
            "line": 168,
            "process": 23198,
            "thread": 23302,
            "metadata":
                {"fd": 655, "command": "LISTARRAY", "pos_version": "v0.10.6", "pos_id": 78_442_531},
        })
    );
}

#[test]
fn text_and_json_of_an_event_say_the_same() {
    let of = |line: &str| {
        let mut record = piped(line.as_bytes()).remove(0);
        record.as_object_mut().expect("an object").retain(|key, _| {
            ["message", "event_id", "event_name", "function", "file", "line"].contains(&&**key)
        });
        record
    };
    assert_eq!(of(COMMAS), of(COMMA_AT_THE_END));
}

#[test]
fn both_forms_of_february_2022_are_read() {
    let text = piped(QUOTES.as_bytes());
    let json = piped(LOGGER_NAME.as_bytes());

    assert_eq!(text[0]["event_id"], "1502");
    assert_eq!(json[0].get("event_id"), None);
    for record in [&text[0], &json[0]] {
        assert_eq!(record["event_name"], "CLI_CLIENT_ACCEPTED");
        assert_eq!((&record["process"], &record["thread"]), (&json!(21743), &json!(21776)));
        assert_eq!((&record["file"], &record["line"]), (&json!("cli_server.cpp"), &json!(458)));
        assert_eq!(record["metadata"]["client_ip"], "127.0.0.1");
        assert_eq!(record["metadata"]["pos_id"], 10_262_307);
        assert_eq!(record["metadata"]["pos_version"], "v0.10.6");
    }
}

#[test]
fn what_quotes_and_braces_hold_together_is_one_variable() {
    let found = piped(TRACE.as_bytes());

    assert_eq!(
        found[0]["metadata"],
        json!({
            "pos_level": "trace",
            "request": r#"command: "SETTELEMETRYPROPERTY, a:1" param { publicationListPath: "/etc/l", b:2 }"#,
            "gRPC_error_code": 0,
            "gRPC_error_details": "",
            "gRPC_error_essage": "",
            "pos_version": "v0.12.0-rc0",
            "pos_id": 87_149_155,
        })
    );
    assert_eq!(found[0]["file"], "pos/src/grpc_cli_server.cpp");
}

#[test]
fn the_newest_form_has_a_cause_and_a_count_of_repetitions() {
    let found = piped(CAPITALS.as_bytes());

    assert_eq!(found[0]["cause"], "The array is broken.");
    assert_eq!(found[0]["metadata"]["repetition"], 12);
    assert_eq!(found[0]["metadata"]["array_name"], "a");
    assert_eq!((&found[0]["function"], &found[0]["line"]), (&json!("Mount"), &json!(86)));
}

#[test]
fn an_impossible_time_is_kept_beside_that_of_reading() {
    let before = crate::clock::rfc3339(crate::clock::now_ns());
    for line in [FLAT, NESTED] {
        let found = piped(line.as_bytes());

        assert_eq!(found[0]["metadata"]["datetime"], "2021-12-09 03:00:93.999");
        assert!(found[0]["timestamp"].as_str() >= Some(before.as_str()));
        assert_eq!(found[0]["event_id"], "10005328");
        assert_eq!(found[0]["cause"], "Array name has a special character");
        assert_eq!(found[0]["metadata"]["arrayName"], "array1");
        assert_eq!(found[0]["metadata"]["volumeName"], "volum@1");
        assert_eq!(
            (&found[0]["file"], &found[0]["line"]),
            (&json!("array_name_policy.cpp"), &json!(80))
        );
    }
    assert_eq!(piped(FLAT.as_bytes())[0]["metadata"]["error_code"], 301);
}

#[test]
fn variables_in_one_object_are_read_as_well_as_in_many() {
    let one = NESTED.replace(r#""array1"},{"volumeName""#, r#""array1","volumeName""#);

    let of = |line: &str| piped(line.as_bytes()).remove(0)["metadata"].take();

    assert_eq!(of(&one), of(NESTED));
}

#[test]
fn a_variable_hides_nothing_that_has_the_same_name() {
    let line = COMMAS.replace("fd:655", "pos_version:3, pos_version:4");

    let found = piped(line.as_bytes());

    assert_eq!(found[0]["metadata"]["pos_version"], 3);
    assert_eq!(found[0]["metadata"]["pos_version_"], 4);
    assert_eq!(found[0]["metadata"]["pos_version__"], "v0.10.6");
}

#[test]
fn an_event_without_a_text_says_what_the_caller_wrote_or_its_name() {
    let silent = COMMAS.replace("A client has been disconnected.", "none");
    let free = silent.replace("fd:655", "it went away");

    assert_eq!(piped(silent.as_bytes())[0]["message"], "CLI_CLIENT_DISCONNECTED");
    assert_eq!(piped(free.as_bytes())[0]["message"], "it went away");
}

#[test]
fn a_line_that_is_cut_keeps_its_event() {
    let found = piped(COMMAS.split_once(", variables").expect("variables").0.as_bytes());

    assert_eq!(found[0]["event_id"], "1207");
    assert_eq!(
        found[0]["message"],
        "A client has been disconnected., cause: , solution:, command: LISTARRAY"
    );
}

#[test]
fn somebody_elses_description_stays_a_field() {
    let found = piped(br#"{"msg":"m","eventId":7,"description":{"name":"n"},"event_id":"5"}"#);

    assert_eq!(found[0]["metadata"], json!({"eventId": 7, "description": {"name": "n"}}));
    assert_eq!(found[0]["event_id"], "5");
}

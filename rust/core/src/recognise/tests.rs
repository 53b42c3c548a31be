use proptest::prelude::*;
use serde_json::Value;

use super::{Recogniser, Zone};

mod poseidonos;

fn piped(text: &[u8]) -> Vec<Value> {
    let mut recogniser = Recogniser::new("pipe", Zone::Utc);
    let mut found = Vec::new();
    let mut emit = |_, _, line: &[u8]| {
        assert!(!line.iter().any(|byte| *byte < 0x20), "a control character in a line");
        found.push(serde_json::from_slice(line).expect("json"));
    };
    for chunk in text.chunks(7) {
        recogniser.feed(chunk, &mut emit);
    }
    recogniser.finish(&mut emit);
    assert_eq!(recogniser.counts().records, found.len() as u64);
    found
}

/// (line, time, level, component, message); `-` for what the line does not say.
const LINES: [(&str, &str, &str, &str, &str); 32] = [
    (r#"{"time":"2026-01-02T03:04:05Z","lvl":"warn","logger":"db","msg":"slow","ms":7}"#, "2026-01-02T03:04:05", "WARNING", "db", "slow"),
    (r#"{"ts":1700000000.5,"severity":"ERR","event":"lost"}"#, "2023-11-14T22:13:20.5", "ERROR", "pipe", "lost"),
    (r#"level=info ts=2026-01-02T03:04:05.5Z msg="served it" logger=web bytes=12"#, "2026-01-02T03:04:05.5", "INFO", "web", "served it"),
    ("<165>1 2003-10-11T22:14:15.003Z mymachine evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"App\\\"x\"] An event", "2003-10-11T22:14:15.003", "NOTICE", "evntslog", "An event"),
    ("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "-10-11T22:14:15", "CRITICAL", "su", "'su root' failed"),
    ("Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure", "-06-14T15:16:01", "INFO", "sshd(pam_unix)", "authentication failure"),
    ("2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Created MRAppMaster", "2015-10-18T18:01:47.978", "INFO", "org.apache.hadoop.mapreduce.v2.app.MRAppMaster", "Created MRAppMaster"),
    ("2015-07-29 17:41:44,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:FastLeaderElection@774] - Notification time out: 3200", "2015-07-29T17:41:44.747", "INFO", "-", "-"),
    ("2024-01-15 10:30:45,123 - auth - ERROR - refused", "2024-01-15T10:30:45.123", "ERROR", "auth", "refused"),
    ("2024-01-15 10:30:45,123 - ERROR - auth - refused", "2024-01-15T10:30:45.123", "ERROR", "auth", "refused"),
    ("[2026-11-21 10:30:45] [INFO    ] auth: User authenticated", "2026-11-21T10:30:45", "INFO", "auth", "User authenticated"),
    ("[Sun Dec 04 04:47:44 2005] [error] mod_jk child workerEnv in error state 6", "2005-12-04T04:47:44", "ERROR", "pipe", "mod_jk child workerEnv in error state 6"),
    ("127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.0\" 503 2326", "2000-10-10T20:55:36", "ERROR", "pipe", "GET /a HTTP/1.0"),
    ("081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block terminating", "2008-11-09T20:36:15", "INFO", "dfs.DataNode$PacketResponder", "PacketResponder 1 for block terminating"),
    ("17/06/09 20:10:40 WARN executor.Executor: slow", "2017-06-09T20:10:40", "WARNING", "executor.Executor", "slow"),
    ("nova-api.log.1 2017-05-16 00:00:00.008 25746 INFO nova.osapi_compute [req-38101a0b] GET", "2017-05-16T00:00:00.008", "INFO", "nova.osapi_compute", "[req-38101a0b] GET"),
    ("E (1234) wifi: no AP", "-", "ERROR", "wifi", "no AP"),
    ("2026-11-21 04:19:00 status installed libc6", "2026-11-21T04:19:00", "INFO", "pipe", "status installed libc6"),
    ("ERROR: it broke", "-", "ERROR", "pipe", "it broke"),
    ("2024-01-15 10:30:45,123 - ERROR - auth:42 - log_in - refused", "2024-01-15T10:30:45.123", "ERROR", "auth", "refused"),
    ("2024-01-15 10:30:45 ERROR: refused", "2024-01-15T10:30:45", "ERROR", "pipe", "refused"),
    ("2025-07-03 21:16:08,765 - backup_node - ERROR - Failed to load config: BackupNodeConfig.__init__() got an unexpected keyword argument 'security'", "2025-07-03T21:16:08.765", "ERROR", "backup_node", "Failed to load config: BackupNodeConfig.__init__() got an unexpected keyword argument 'security'"),
    (poseidonos::PARENTHESES, "2022-10-19T19:09:02.029184126", "INFO", "pipe", "The CLI server has been initialized successfully."),
    (poseidonos::TRACE, "2022-10-19T19:09:20.253586649", "NOTICE", "pipe", "CLI server has recieved a message from a CLI client."),
    (poseidonos::COMMAS, "2022-03-04T15:56:08.557557315", "INFO", "pipe", "A client has been disconnected."),
    (poseidonos::QUOTES, "2022-02-18T13:47:14.993519", "INFO", "pipe", "A new client has been accepted (connected)."),
    (poseidonos::CAPITALS, "2023-03-24T10:00:01.000000002", "WARNING", "pipe", "Failed to mount the array."),
    (poseidonos::COMMA_AT_THE_END, "2022-03-04T15:54:01.407056341", "INFO", "pipe", "A client has been disconnected."),
    (poseidonos::LOGGER_NAME, "2022-02-18T13:47:16.463356", "INFO", "pos_logger", "A new client has been accepted (connected)."),
    (poseidonos::FLAT, "-", "INFO", "ArrayManager", "Failed to create an array"),
    (poseidonos::NESTED, "-", "INFO", "pipe", "Failed to create an array"),
    ("Error handling is documented elsewhere", "-", "INFO", "pipe", "Error handling is documented elsewhere"),
];

#[test]
fn forms_are_recognised() {
    for (line, time, level, component, message) in LINES {
        let found = piped(line.as_bytes());
        assert_eq!(found.len(), 1, "{line}");
        let record = &found[0];
        let is = |key: &str, wanted: &str| {
            if wanted != "-" {
                assert_eq!(record[key], *wanted, "{key} of {line}: {record}");
            }
        };
        is("level", level);
        is("component", component);
        is("message", message);
        if time != "-" {
            let timestamp = record["timestamp"].as_str().expect("text");
            let wanted = time.trim_start_matches('-');
            assert!(timestamp.contains(wanted), "{timestamp} of {line}");
        }
    }
}

#[test]
fn fields_are_kept() {
    let found = piped(LINES[3].0.as_bytes());
    assert_eq!(found[0]["metadata"]["exampleSDID@32473"]["eventSource"], "App\"x");
    assert_eq!(found[0]["host"], "mymachine");
    let found = piped(LINES[12].0.as_bytes());
    assert_eq!(found[0]["metadata"]["status"], 503);
    let found =
        piped(br#"{"msg":"m","context":{"user":7},"metadata":{"a":1},"b":[1.5,{"c":null}]}"#);
    assert_eq!(found[0]["context"]["user"], 7);
    assert_eq!(found[0]["metadata"], serde_json::json!({"a": 1, "b": [1.5, {"c": null}]}));
}

#[test]
fn a_canonical_line_stays_as_it_is() {
    let line = br#"{"timestamp":"2026-11-21T01:18:00.123456789Z","level":"INFO","component":"a","message":"m","file":"x.py","line":3,"process":7,"thread":8,"metadata":{"k":1.5}}"#;
    let mut recogniser = Recogniser::new("pipe", Zone::Utc);
    let mut out = Vec::new();
    recogniser.feed(line, &mut |_, _, line| out.extend_from_slice(line));
    recogniser.finish(&mut |_, _, line| out.extend_from_slice(line));
    assert_eq!(out, line);
}

#[test]
fn tracebacks_and_stack_traces_are_one_record() {
    let text = b"2024-01-15 10:30:45,123 - app - ERROR - failed
Traceback (most recent call last):
  File \"x.py\", line 1, in f
    g()
ValueError: bad
2024-01-15 10:30:46,000 - app - INFO - next
java.lang.IllegalStateException: broken
\tat a.B.c(B.java:1)
Caused by: java.io.IOException: gone
\t... 3 more
";
    let found = piped(text);
    let messages: Vec<_> =
        found.iter().map(|record| record["message"].as_str().expect("text")).collect();
    assert_eq!(messages, ["failed", "next", "java.lang.IllegalStateException: broken"]);
    assert_eq!(
        found[0]["metadata"]["stack"],
        "Traceback (most recent call last):\n  File \"x.py\", line 1, in f\n    g()\nValueError: bad"
    );
    assert!(found[2]["metadata"]["stack"].as_str().expect("text").ends_with("... 3 more"));
}

#[test]
fn an_endless_line_takes_bounded_memory_and_is_cut_visibly() {
    let mut recogniser = Recogniser::new("pipe", Zone::Utc);
    let mut lengths = Vec::new();
    for _ in 0..40 {
        recogniser.feed(&vec![b'x'; 100_000], &mut |_, _, line| lengths.push(line.len()));
    }
    recogniser.feed(b"\nshort\n", &mut |_, _, line| lengths.push(line.len()));
    recogniser.finish(&mut |_, _, line| lengths.push(line.len()));
    assert_eq!(lengths.len(), 2);
    assert!(lengths[0] < (1 << 20) + 1000 && lengths[0] > 1 << 20);
    assert_eq!(recogniser.counts().cut, 1);
}

proptest! {
    #[test]
    fn no_bytes_make_it_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        piped(&bytes);
    }

    #[test]
    fn no_change_of_a_real_line_makes_it_fall_over(
        which in 0..LINES.len(), at in 0_usize..200, byte in any::<u8>(), cut in 0_usize..200,
    ) {
        let mut line = LINES[which].0.as_bytes().to_vec();
        let at = at % line.len();
        line[at] = byte;
        line.truncate(cut.max(1));
        piped(&line);
    }
}

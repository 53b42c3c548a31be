//! Whatever a record says, every format makes one line of it that is what it claims to be.

use proptest::prelude::*;
use serde_json::{json, Map, Value};

use super::{Batch, Formatter, Options, Record, PRESETS, SHAPES};

fn formatter(format: &str, named: &[(&str, &str)]) -> Formatter {
    let named = named.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let options = Options { utc: true, named, ..Options::default() };
    Formatter::new(format, options).expect("a format")
}

fn push(formatter: &Formatter, line: &[u8]) -> String {
    let mut out = b"before ".to_vec();
    formatter.push(line, Some(7), &mut Batch::default(), &mut out);
    let text = String::from_utf8(out).expect("utf-8");
    text.strip_prefix("before ").expect("what was there stays").to_owned()
}

fn shown(format: &str, record: &Value) -> String {
    push(&formatter(format, &[]), record.to_string().as_bytes())
}

fn error(format: &str) -> String {
    Formatter::new(format, Options::default()).expect_err("no format").to_string()
}

fn record() -> Value {
    json!({
        "timestamp": "2026-11-21T10:30:45.123456789Z", "level": "INFO", "category": "application",
        "component": "auth", "message": "User \"a\" in", "module": "app", "function": "login",
        "file": "/srv/app.py", "line": 7, "process": 11, "thread": 12,
        "context": {"request": "a b"}, "metadata": {"user_id": 7},
    })
}

#[test]
fn presets_are_those_of_the_sensor_hub() {
    let time = "2026-11-21T10:30:45.123Z";
    let cases = [
        ("STANDARD", format!("[{time}] [INFO] [auth] User \"a\" in")),
        ("DETAILED", format!("[{time}] [INFO] [auth] [app.py:7] User \"a\" in")),
        ("COMPACT", format!("{time} INFO auth User \"a\" in")),
        (
            "CONSOLE",
            "[2026-11-21 10:30:45] [INFO    ] auth: User \"a\" in  user_id=7 request=\"a b\""
                .into(),
        ),
    ];
    for (preset, expected) in cases {
        assert_eq!(shown(preset, &record()), expected);
    }
    assert_eq!(
        shown("JSON", &record()),
        format!(
            r#"{{"timestamp":"{time}","level":"INFO","component":"auth","message":"User \"a\" in"}}"#
        )
    );
}

#[test]
fn specifiers_have_widths_and_fields() {
    let cases = [
        ("%5n|%-5n|%s|%i|100%%", "    7|7    |7|12|100%"),
        ("%{user_id} %{context.request} %{metadata.user_id} %{absent}", "7 a b 7 -"),
        ("%{file} %{module} %{function}  %{exception}", "/srv/app.py app login"),
        ("%{fields}", "user_id=7 request=\"a b\""),
        (
            r#"{"n":%n,"f":%{fields},"e":%{cause},"m":"<%m>"}"#,
            r#"{"n":7,"f":{"user_id":7,"request":"a b"},"e":null,"m":"<User \"a\" in>"}"#,
        ),
    ];
    for (template, expected) in cases {
        assert_eq!(shown(template, &record()), expected);
    }
}

#[test]
fn the_standard_librarys_formats_are_understood() {
    let cases = [
        (
            "%(asctime)s [%(levelname)-8s] %(name)s:%(lineno)d %(funcName)s() - %(message)s",
            "2026-11-21 10:30:45,123 [INFO    ] auth:7 login() - User \"a\" in",
        ),
        ("%(lineno)05d|%(lineno)+d|%(created).3f|%(msecs)03d", "00007|+7|1795257045.123|123"),
        (
            "%(filename).3s|%(pathname)s|%(levelno)s|%(process)8d|100%%",
            "app|/srv/app.py|20|      11|100%",
        ),
        (r#"{"message": "%(message)s"}"#, r#"{"message": "User \"a\" in"}"#),
    ];
    for (format, expected) in cases {
        assert_eq!(shown(format, &record()), expected);
    }
}

#[test]
fn what_is_wrong_with_a_format_is_said_with_its_place() {
    let cases = [
        ("é %m %q", "at position 5: '%q' is no specifier: one of %t"),
        ("%m %", "at position 3: '%' at the end is no specifier"),
        ("%{user", "at position 0: '%{' is not closed"),
        ("a %{}", "at position 2: '%{}' has no name"),
        ("%0m", "at position 0: a width from 1 to 1024"),
        ("%m\n", "at position 2: the template has a control character"),
        ("%(message)s %(taskName)s", "at position 12: a record has no 'taskName'"),
        ("%(message)d", "at position 0: 'message' is text: %(message)s"),
        ("%(message)", "at position 0: '%(message)' has no conversion"),
        ("%(message)s %t", "at position 12: '%' is not followed by a name"),
        ("ecss", "'ecss' is no format: one of STANDARD"),
    ];
    for (format, expected) in cases {
        let found = error(format);
        assert!(found.starts_with(expected), "{format}: {found}");
    }
    let options = |name: &str, value: &str| Options {
        named: vec![(name.into(), value.into())],
        ..Options::default()
    };
    let error = |format, options| Formatter::new(format, options).expect_err("wrong").to_string();
    assert!(error("ecs", options("facility", "1")).starts_with("option 'facility' is unknown"));
    assert!(error("rfc5424", options("facility", "x")).starts_with("option facility is 'x'"));
    assert!(error("rfc5424", options("hostname", "a b")).starts_with("option hostname is 'a b'"));
    let dated = |format: &str| Options { date_format: Some(format.into()), ..Options::default() };
    assert!(error("%t", dated("%Y-%Q")).starts_with("at position 3: date_format has '%Q'"));
    assert_eq!(error("gelf", dated("%Y")), "date_format has no effect on gelf");
}

#[test]
fn a_line_that_is_no_record_is_shown_in_every_format() {
    for format in PRESETS.iter().map(|(name, _)| *name).chain(SHAPES) {
        for line in [
            &b"bro\x1bken \xff{"[..],
            b"[1]",
            b"{\"message\":1,}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"1\":\"\\\xc2\x80\"}",
        ] {
            let text = push(&formatter(format, &[]), line);
            assert!(text.contains("bro") || text.contains('1') || text.contains("ud800"), "{text}");
        }
        assert_eq!(push(&formatter(format, &[]), b""), "", "an erased record stays empty");
    }
}

#[test]
fn records_in_another_order_and_with_spaces_are_read_as_well() {
    let line = b" { \"message\" : \"m\\u001b\" ,\t\"level\":\"INFO\", \"new\": [1 ,2]} ";
    assert_eq!(push(&formatter("%l %m %{new}", &[]), line), "INFO m\\x1b [1,2]");
}

/// Text, and text that means something to some format or terminal more often than chance has it.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\x00-\\x1f\\x7f-\\u{9f}\\u{2028}-\\u{202e}\\u{2066}-\\u{2069}a\"\\\\=\\]% ]{0,12}",
        "[a-z_.]{0,3}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e300..1e300).prop_map(Value::from),
        hostile().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            fields_of(inner).prop_map(Value::from),
        ]
    })
}

fn fields_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((hostile(), value), 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

/// Records with any value under any of our keys and some others.
fn records() -> impl Strategy<Value = Value> {
    let names = super::record::KEYS.map(|(name, _)| name.to_owned());
    let key = prop_oneof![4 => prop::sample::select(names.to_vec()), 1 => hostile()];
    let pairs = prop::collection::vec((key, value()), 0..8);
    (hostile(), fields_of(value()), fields_of(value()), pairs).prop_map(
        |(message, context, metadata, pairs)| {
            let mut record = json!({
                "timestamp": "2026-11-21T10:30:45.123456789Z", "level": "INFO",
                "context": context, "metadata": metadata,
            });
            if let Some(record) = record.as_object_mut() {
                record.extend(pairs);
                record.insert("message".into(), message.into());
            }
            record
        },
    )
}

fn assert_one_line(text: &str) {
    let obeyed =
        |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.contains(obeyed), "{text:?}");
}

fn message_of(shape: &str, made: &Value) -> Option<String> {
    let path = match shape {
        "gelf" => "/short_message",
        "otel" => "/body/stringValue",
        "poseidonos" => "/description/message",
        _ => "/message",
    };
    made.pointer(path)?.as_str().map(str::to_owned)
}

proptest! {
    #[test]
    fn every_format_makes_one_line_that_nobody_obeys(record in records()) {
        for format in PRESETS.iter().map(|(name, _)| *name).chain(SHAPES) {
            let text = shown(format, &record);
            if format != "treering" {
                assert_one_line(&text);
            }
        }
        assert_one_line(&shown("%m %{traceback} %{exception} %{fields} %{metadata}", &record));
    }

    #[test]
    fn json_shapes_are_one_object_with_the_records_message(record in records()) {
        let message = record["message"].as_str().expect("text").to_owned();
        for shape in ["treering", "netlink", "poseidonos", "poseidonos-flat", "ecs", "otel", "gelf",
                      "JSON", r#"{"message":"%m","all":%{fields},"x":"%8{fields} %{exception}"}"#] {
            let made: Value = serde_json::from_str(&shown(shape, &record)).expect("JSON");
            let expected = match (shape, message.as_str()) {
                ("gelf", "") => "-",
                (_, message) => message,
            };
            let found = message_of(shape, &made);
            prop_assert_eq!(found.as_deref(), Some(expected), "{}", shape);
        }
    }

    #[test]
    fn no_bytes_break_a_format(bytes: Vec<u8>) {
        for format in PRESETS.iter().map(|(name, _)| *name).chain(SHAPES) {
            assert_one_line(&push(&formatter(format, &[]), &bytes));
        }
    }

    /// The walk over a line accepts what the parser accepts, and finds what it finds.
    #[test]
    fn lines_are_read_as_a_parser_reads_them(record in records(), cut in any::<prop::sample::Index>(), byte: u8) {
        let mut line = record.to_string().into_bytes();
        let mut spelled = String::new();
        prop_assert!(!Record::read(&line, &mut spelled).is_broken);
        let at = cut.index(line.len());
        line[at] = byte;
        match serde_json::from_slice::<Map<String, Value>>(&line) {
            // Of a number that no float holds the parser says nothing about what follows.
            Err(error) if error.to_string().contains("out of range") => {}
            parsed => prop_assert_eq!(Record::read(&line, &mut spelled).is_broken, parsed.is_err()),
        }
        line.truncate(at);
        prop_assert!(Record::read(&line, &mut spelled).is_broken);
    }

    #[test]
    fn logfmt_parses_back(record in records()) {
        let text = shown("logfmt", &record);
        let pairs = logfmt(&text);
        let get = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        prop_assert_eq!(get("message").map(String::as_str), record["message"].as_str());
        let mut names: Vec<_> = pairs.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), pairs.len(), "every name stands once");
    }
}

/// Pairs as `go-logfmt/logfmt` reads them.
fn logfmt(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').expect("a key");
        assert!(!key.contains([' ', '"']), "{key:?}");
        let value;
        if after.starts_with('"') {
            let mut reader = serde_json::Deserializer::from_str(after).into_iter::<String>();
            value = reader.next().expect("a value").expect("a string");
            rest = &after[reader.byte_offset()..];
        } else {
            let end = after.find(' ').unwrap_or(after.len());
            value = after[..end].to_owned();
            rest = &after[end..];
        }
        pairs.push((key.to_owned(), value));
        if !rest.is_empty() {
            rest = rest.strip_prefix(' ').expect("one space between pairs");
        }
    }
    pairs
}

//! What comes out of a file is what went in.

use std::path::Path;

use proptest::prelude::*;

use super::{check, facts, write, Against, Archived, Identities, Input, Lines, WriteOptions};

fn archived(path: &Path) -> Archived {
    Archived { path: path.to_owned(), is_encrypted: false, facts: facts(path).expect("facts") }
}

fn segment(directory: &Path, first: u64, lines: &[Vec<u8>]) -> Input {
    let path = directory.join(format!("{first:020}.jsonl"));
    let text: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
    std::fs::write(&path, text).expect("written");
    Input::Segment { first, records: Some(lines.len() as u64), path }
}

fn written(inputs: &[Input], path: &Path) -> Archived {
    let identities = Identities::default();
    let options = WriteOptions { journal_id: "j", keep: None, identities: &identities };
    let facts = write(inputs, path, &options).expect("written");
    let file = archived(path);
    assert_eq!(file.facts, facts);
    let checked = check(&file, Against::Inputs(inputs), &identities).expect("checked");
    assert_eq!((checked.rows, checked.missing.len()), (facts.rows, 0));
    file
}

fn lines(file: &Archived, from: u64) -> Vec<(u64, Vec<u8>)> {
    let mut lines = Lines::open(file, from, &Identities::default()).expect("opened");
    let mut found = Vec::new();
    while let Some((first, piece)) = lines.next_piece().expect("read") {
        let split = piece.split_inclusive(|byte| *byte == b'\n');
        found.extend((first..).zip(split.map(|line| line[..line.len() - 1].to_vec())));
    }
    found.retain(|(_, line)| !line.is_empty());
    found
}

fn round_trip(lines_in: &[Vec<u8>]) -> Archived {
    let directory = tempfile::tempdir().expect("directory");
    let input = segment(directory.path(), 7, lines_in);
    let file = written(&[input], &directory.path().join("out.parquet"));
    let expected: Vec<(u64, Vec<u8>)> =
        (7..).zip(lines_in.iter().cloned()).filter(|(_, line)| !line.is_empty()).collect();
    assert_eq!(lines(&file, 0), expected);
    file
}

fn record(at: u64) -> Vec<u8> {
    format!(
        concat!(
            r#"{{"timestamp":"2026-11-21T01:18:00.{:09}Z","level":"INFO","category":"app","#,
            r#""component":"shop","message":"order {} placed","line":{},"#,
            r#""metadata":{{"user_id":{},"amount":{:?},"name":"n{}","ok":{}}}}}"#
        ),
        at,
        at,
        at % 90,
        at % 7,
        (at % 50) as f64 / 4.0,
        at % 3,
        at % 2 == 0
    )
    .into_bytes()
}

#[test]
fn fields_that_are_often_used_get_columns() {
    let file = round_trip(&(0..5000).map(record).collect::<Vec<_>>());
    let names: Vec<_> = file.facts.promoted.iter().map(|one| one.column.as_str()).collect();
    assert_eq!(names, ["metadata.user_id", "metadata.amount", "metadata.name", "metadata.ok"]);
    assert_eq!(file.facts.verbatim, 0);
    assert_eq!(file.facts.levels["INFO"], 5000);
}

#[test]
fn odd_lines_come_back_as_they_were() {
    let odd = [
        "",
        "{}",
        "not json",
        "{\"level\":\"INFO\"",
        r#"{"level":"INFO","level":"WARNING"}"#,
        r#"{"level":"A"}"message":"x"}"#,
        r#"{"level":"A",}"#,
        r#"{"level":"A"},"#,
        r#"{"level":"A"} "#,
        r#"{ "level":"A"}"#,
        r#"{"message":"x","level":"A"}"#,
        r#"{"metadata":{"a":1,"a":2}}"#,
        r#"{"metadata":{"a":1,"b":{"c":[1,2,{"d":null}]},"c":1e5,"d":-0,"e":-0.0,"f":1.50}}"#,
        r#"{"metadata":{"b":1,"a":2,"z":"\u0041"}}"#,
        r#"{"metadata":{ "a":1}}"#,
        r#"{"metadata":{"\u0061":1}}"#,
        r#"{"metadata":{}}"#,
        r#"{"metadata":[1]}"#,
        r#"{"metadata":null,"exception":{"type":"X"}}"#,
        r#"{"line":99999999999999999999}"#,
        r#"{"line":-0}"#,
        r#"{"line":1.0}"#,
        r#"{"timestamp":"2026-11-21T01:18:60.000000000Z"}"#,
        r#"{"timestamp":"1969-12-31T23:59:59.000000000Z"}"#,
        r#"{"timestamp":"2500-01-01T00:00:00.000000000Z"}"#,
        r#"{"message":"\/"}"#,
        r#"{"message":"\u001b\n\"é\u007f"}"#,
        "{\"message\":\"\u{7f}\u{2028}\"}",
        "{\"message\":\"a\tb\"}",
        r#"{"unknown":1}"#,
    ];
    let mut all: Vec<Vec<u8>> = odd.iter().map(|line| line.as_bytes().to_vec()).collect();
    all.push(b"{\"message\":\"\xff\"}".to_vec());
    all.push(b"\x00\xfe".to_vec());
    round_trip(&all);
    let many: Vec<_> = (0..20).flat_map(|_| all.clone()).collect();
    round_trip(&many);
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| {
            let mut out = Vec::new();
            crate::line::push_float(&mut out, value);
            String::from_utf8(out).expect("utf-8")
        }),
        any::<String>().prop_map(|value| {
            let mut out = Vec::new();
            crate::line::push_string(&mut out, &value);
            String::from_utf8(out).expect("utf-8")
        }),
        proptest::sample::select(vec![
            "true",
            "false",
            "null",
            "[]",
            "{}",
            "[1, 2]",
            "1e5",
            "-0",
            "-0.0",
            "1.50",
            "5",
            "7",
            r#""\u0041""#,
            r#""plain""#,
            r#"{"a":{"b":1}}"#,
            "184467440737095516160",
        ])
        .prop_map(str::to_owned),
    ]
}

fn object() -> impl Strategy<Value = String> {
    let key = proptest::sample::select(vec!["a", "b", "c", "d", "A", "a.b", "\\u0061", "é", ""]);
    (
        proptest::collection::vec((key, value()), 0..6),
        proptest::sample::select(vec!["", "", "", " "]),
    )
        .prop_map(|(members, space)| {
            let members: Vec<_> =
                members.iter().map(|(key, value)| format!("{space}\"{key}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        })
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let pick = prop_oneof![9 => Just(true), 1 => Just(false)];
    let members = crate::format::record::KEYS.map(|(name, key)| {
        let value = match super::columns::kind(key) {
            super::columns::Kind::Json => prop_oneof![9 => object(), 1 => value()].boxed(),
            super::columns::Kind::Number => {
                prop_oneof![9 => any::<i64>().prop_map(|it| it.to_string()), 1 => value()].boxed()
            }
            super::columns::Kind::Timestamp => prop_oneof![
                9 => any::<u64>().prop_map(|it| format!("\"{}\"", crate::clock::rfc3339(it))),
                1 => value()
            ]
            .boxed(),
            super::columns::Kind::Text => value().boxed(),
        };
        (any::<bool>(), value)
            .prop_map(move |(is_there, value)| is_there.then(|| format!("\"{name}\":{value}")))
            .boxed()
    });
    let canonical = (members.to_vec(), pick).prop_map(|(members, in_order)| {
        let mut members: Vec<_> = members.into_iter().flatten().collect();
        if !in_order {
            members.reverse();
        }
        format!("{{{}}}", members.join(",")).into_bytes()
    });
    let foreign = proptest::collection::vec(
        any::<u8>().prop_filter("no line feed", |byte| *byte != b'\n'),
        0..40,
    );
    prop_oneof![8 => canonical, 1 => foreign]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_line_comes_back_byte_for_byte(lines in proptest::collection::vec(line(), 1..40)) {
        round_trip(&lines);
    }
}

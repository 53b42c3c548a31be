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
        f64::from(u32::try_from(at % 50).expect("below 50")) / 4.0,
        at % 3,
        at.is_multiple_of(2)
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

#[test]
fn small_segments_become_one_file_and_are_pruned_in_another() {
    let directory = tempfile::tempdir().expect("directory");
    let parts: Vec<Vec<Vec<u8>>> =
        (0..3).map(|part| (part * 10..part * 10 + 10).map(record).collect()).collect();
    let inputs: Vec<Input> =
        (0..3).map(|part| segment(directory.path(), part * 10, &parts[part as usize])).collect();
    let merged = written(&inputs, &directory.path().join("merged.parquet"));
    assert_eq!((merged.facts.first, merged.facts.end), (0, 30));
    assert_eq!(merged.facts.segments, [0, 10, 20]);

    let identities = Identities::default();
    let keep = |about: &super::About<'_>| about.index.is_multiple_of(2);
    let options = WriteOptions { journal_id: "j", keep: Some(&keep), identities: &identities };
    let path = directory.path().join("pruned.parquet");
    let facts = write(&[Input::Archived(merged)], &path, &options).expect("written");
    assert_eq!((facts.end, facts.rows, facts.segments.len()), (30, 15, 3));
    let found = lines(&archived(&path), 0);
    assert!(found.iter().all(|(index, line)| index % 2 == 0 && *line == record(*index)));
    let checked = check(&archived(&path), Against::Inputs(&inputs), &identities);
    assert_eq!(checked.expect("checked").missing.len(), 15);
}

#[test]
fn a_file_is_compared_with_what_was_sealed() {
    use crate::seal::{commitment, Range, SaltKind, Salts, SegmentSeal};
    let directory = tempfile::tempdir().expect("directory");
    let records: Vec<_> = (0..100).map(record).collect();
    let file =
        written(&[segment(directory.path(), 0, &records)], &directory.path().join("out.parquet"));
    let seed = [7; 32];
    let mut salts = Salts::new(&seed, 0);
    let commitments =
        records.iter().map(|line| commitment(&salts.next_salt(), line)).collect::<Vec<_>>();
    let open = SegmentSeal::open_segment(seed, Range::default());
    let mut seal = SegmentSeal { records: Some(100), commitments, ..open };
    let identities = Identities::default();
    let checked = check(&file, Against::Seals(std::slice::from_ref(&seal)), &identities);
    assert_eq!((checked.expect("checked").rows, seal.salts), (100, SaltKind::Seed));
    seal.commitments[42][0] ^= 1;
    let error = check(&file, Against::Seals(&[seal]), &identities).expect_err("refused");
    assert!(error.to_string().contains("record 42 "), "{error}");
}

#[test]
fn a_damaged_file_is_an_error_that_names_it_and_never_a_panic() {
    let directory = tempfile::tempdir().expect("directory");
    let records: Vec<_> = (0..300).map(record).collect();
    let path = directory.path().join("out.parquet");
    let file = written(&[segment(directory.path(), 0, &records)], &path);
    let whole = std::fs::read(&path).expect("read");
    let mut refused = 0;
    for at in (0..whole.len()).step_by(whole.len() / 300 + 1) {
        for change in [0xff, 0x01] {
            let mut changed = whole.clone();
            changed[at] ^= change;
            std::fs::write(&path, &changed).expect("written");
            let read = || {
                let mut lines = Lines::open(&file, 0, &Identities::default())?;
                while lines.next_piece()?.is_some() {}
                Ok::<(), crate::error::Error>(())
            };
            if let Err(error) = read() {
                assert!(error.to_string().contains("out.parquet"), "{error}");
                refused += 1;
            }
        }
    }
    std::fs::write(&path, &whole[..whole.len() / 2]).expect("written");
    facts(&path).expect_err("half a file");
    assert!(refused > 100, "{refused}");
}

#[test]
fn of_files_that_overlap_the_one_that_began_first_counts() {
    let directory = tempfile::tempdir().expect("directory");
    let day = directory.path().join("archive").join("date=2026-11-21");
    std::fs::create_dir_all(&day).expect("made");
    let parts: Vec<Input> = (0..3)
        .map(|part| {
            let records: Vec<_> = (part * 10..part * 10 + 10).map(record).collect();
            segment(directory.path(), part * 10, &records)
        })
        .collect();
    let at = |first| super::place(directory.path(), first, "2026-11-21", false);
    written(&parts[..2], &at(0));
    written(&parts[1..2], &at(10));
    written(&parts[2..], &at(20));
    let found = super::list(directory.path()).expect("listed");
    let firsts: Vec<_> = found.iter().map(|file| file.facts.first).collect();
    assert_eq!(firsts, [0, 20]);
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

//! Encrypted files are read by those who may, and no index of words hides a record.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret;
use age::x25519;
use proptest::prelude::*;

use super::tokens::{self, Checked, ANYWHERE};
use super::{
    encrypt_file, facts, open_decrypted, outside, rewrap, words, write, Archived, Facts,
    Identities, Input, Lines, Recipients, WriteOptions,
};
use crate::error::Error;

struct Key {
    recipients: Recipients,
    identities: Identities,
}

fn key() -> Key {
    let key = x25519::Identity::generate();
    let secret = key.to_string();
    Key {
        recipients: Recipients::parse(&[key.to_public().to_string()]).expect("a recipient"),
        identities: Identities::parse(secret.expose_secret().as_bytes()).expect("an identity"),
    }
}

fn archived(directory: &Path, lines: &[String]) -> Archived {
    let text = directory.join("0.jsonl");
    fs::write(&text, format!("{}\n", lines.join("\n"))).expect("lines");
    let path = directory.join(format!("{:020}.parquet", 0));
    let inputs = [Input::Segment { first: 0, records: None, path: text }];
    let identities = Identities::none();
    let options = WriteOptions { journal_id: "j", keep: None, identities: &identities };
    let facts = write(&inputs, &path, &options).expect("a file");
    Archived { path, is_encrypted: false, facts }
}

fn encrypted(file: &Archived, recipients: &Recipients) -> PathBuf {
    let path = file.path.with_extension("parquet.age");
    outside::write(&path, &file.facts, recipients).expect("facts");
    encrypt_file(fs::File::open(&file.path).expect("plain"), &path, recipients).expect("encrypted");
    path
}

fn line(at: u64) -> String {
    format!(
        r#"{{"timestamp":"2026-11-21T10:00:00.{at:09}Z","level":"INFO","category":"app","component":"shop","message":"order ord{at:06} paid","context":{{"user":"u{}","ratio":{}.5}}}}"#,
        at % 500,
        at % 13
    )
}

fn all_lines(file: &Archived, identities: &Identities) -> Vec<u8> {
    let mut lines = Lines::open(file, 0, identities).expect("opened");
    let mut all = Vec::new();
    while let Some((_, piece)) = lines.next_piece().expect("a piece") {
        all.extend(piece);
    }
    all
}

#[test]
fn an_encrypted_file_gives_its_lines_to_each_of_its_recipients_and_nobody_else() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = archived(directory.path(), &(0..3000).map(line).collect::<Vec<_>>());
    let (one, other, stranger) = (key(), key(), key());
    let both = [one.recipients.names(), other.recipients.names()].concat();
    let path = encrypted(&file, &Recipients::parse(&both).expect("recipients"));
    let known = facts(&path).expect("facts");
    let shut = Archived { path: path.clone(), is_encrypted: true, facts: known };

    let expected = all_lines(&file, &Identities::none());
    assert_eq!(all_lines(&shut, &one.identities), expected);
    assert_eq!(all_lines(&shut, &other.identities), expected);
    let refused = Lines::open(&shut, 0, &stranger.identities).expect_err("not theirs").to_string();
    assert!(refused.contains(&path.display().to_string()), "{refused}");
    assert!(both.iter().all(|name| refused.contains(name)), "{refused}");
    let refused = Lines::open(&shut, 0, &Identities::none()).expect_err("no identity").to_string();
    assert!(refused.contains("is encrypted: the identity of"), "{refused}");
}

#[test]
fn what_lies_beside_an_encrypted_file_names_no_field() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = archived(directory.path(), &(0..3000).map(line).collect::<Vec<_>>());
    let path = encrypted(&file, &key().recipients);

    let text = fs::read_to_string(outside::path(&path)).expect("facts");

    assert!(!file.facts.promoted.is_empty(), "fields are promoted");
    assert!(!text.contains("user") && !text.contains("ratio"), "{text}");
    assert_eq!(facts(&path).expect("facts"), Facts { promoted: Vec::new(), ..file.facts });
}

#[test]
fn an_encrypted_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let file = archived(directory.path(), &[line(1)]);
    let path = encrypted(&file, &key().recipients);

    for path in [path.clone(), outside::path(&path)] {
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn after_encrypting_anew_only_the_new_recipient_can_open_the_same_content() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = archived(directory.path(), &(0..3000).map(line).collect::<Vec<_>>());
    let (old, new) = (key(), key());
    let path = encrypted(&file, &old.recipients);
    let draft = directory.path().join("draft");

    let written = rewrap(&path, &draft, &old.identities, &new.recipients).expect("anew");

    let mut content = Vec::new();
    open_decrypted(&draft, &new.identities).expect("new").read_to_end(&mut content).expect("read");
    assert_eq!(content, fs::read(&file.path).expect("plain"));
    assert_eq!(written.bytes, fs::metadata(&draft).expect("draft").len());
    assert!(open_decrypted(&draft, &old.identities).is_err());
}

#[test]
fn no_change_of_an_encrypted_file_is_read_as_content() {
    let directory = tempfile::tempdir().expect("a directory");
    let key = key();
    let path = directory.path().join("x.parquet.age");
    let plain: Vec<u8> =
        (0..200_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    encrypt_file(&*plain, &path, &key.recipients).expect("encrypted");
    let whole = fs::read(&path).expect("bytes");
    let places = (0..whole.len()).step_by(1_009).chain(0..300).chain(whole.len() - 40..whole.len());
    for at in places {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).expect("changed");
        let mut content = Vec::new();
        let read =
            open_decrypted(&path, &key.identities).map(|mut open| open.read_to_end(&mut content));
        assert!(!matches!(read, Ok(Ok(_))), "a change at {at} is seen");
        assert!(plain.starts_with(&content), "a change at {at} gives nothing wrong");
    }
    for length in [0, 10, 100, whole.len() / 2, whole.len() - 65_552, whole.len() - 1] {
        fs::write(&path, &whole[..length]).expect("cut");
        assert!(open_decrypted(&path, &key.identities).is_err(), "cut at {length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_part_of_an_encrypted_file_can_be_read(
        length in prop_oneof![Just(0), Just(65_536), Just(131_072), 0..300_000usize],
        parts in proptest::collection::vec((0..320_000u64, 0..100_000usize), 1..8),
    ) {
        let directory = tempfile::tempdir().expect("a directory");
        let (key, path) = (key(), directory.path().join("x.age"));
        let plain: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        encrypt_file(&*plain, &path, &key.recipients).expect("encrypted");
        let mut open = open_decrypted(&path, &key.identities).expect("opened");
        prop_assert_eq!(open.length(), length as u64);
        for (from, count) in parts {
            open.seek(SeekFrom::Start(from)).expect("sought");
            let mut found = Vec::new();
            open.by_ref().take(count as u64).read_to_end(&mut found).expect("read");
            let from = (from as usize).min(length);
            prop_assert_eq!(&found, &plain[from..(from + count).min(length)]);
        }
    }
}

#[test]
fn words_are_looked_for_only_where_they_can_be() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = archived(directory.path(), &(0..40_000).map(line).collect::<Vec<_>>());
    assert_eq!(tokens::lookup(&file.path, &["ord000001"]).expect("ranges"), [ANYWHERE]);
    tokens::build(&file.path).expect("an index");

    let ranges = |words: &[&str]| tokens::lookup(&file.path, words).expect("ranges");
    assert_eq!(ranges(&["ORD020000"]), [(16_384, 32_768)]);
    assert_eq!(ranges(&["ord020000 paid", "u0"]), [(16_384, 32_768)]);
    assert_eq!(ranges(&["paid", "shop"]), [(0, 40_000)]);
    assert_eq!(ranges(&["ord000001", "ord039999"]), []);
    assert_eq!(ranges(&["-"]), [(0, 40_000)]);
    assert_eq!(tokens::check(&file.path).expect("checked"), Checked::Complete);
}

#[test]
fn an_index_that_is_damaged_or_of_another_file_is_not_used() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = archived(directory.path(), &(0..2000).map(line).collect::<Vec<_>>());
    tokens::build(&file.path).expect("an index");
    let index = tokens::path(&file.path);
    let whole = fs::read(&index).expect("bytes");
    assert!(tokens::is_usable(&file.path));

    for at in (0..whole.len()).step_by(97).chain(0..200) {
        let mut changed = whole.clone();
        changed[at] ^= 4;
        fs::write(&index, &changed).expect("changed");
        assert_eq!(tokens::lookup(&file.path, &["nowhere"]).expect("ranges"), [ANYWHERE], "{at}");
    }
    fs::write(&index, &whole).expect("restored");
    archived(directory.path(), &(0..2001).map(line).collect::<Vec<_>>());
    assert_eq!(tokens::lookup(&file.path, &["nowhere"]).expect("ranges"), [ANYWHERE]);
    assert_eq!(tokens::check(&file.path).expect("checked"), Checked::Unusable);
}

#[test]
fn a_forged_index_that_hides_records_is_found() {
    let directory = tempfile::tempdir().expect("a directory");
    let lines: Vec<String> = (0..2000).map(line).collect();
    let file = archived(directory.path(), &lines);
    let mut forged = tokens::Builder::default();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let fewer: Vec<String> =
        lines.iter().map(|line| line.replace("ord001234", "nothing")).collect();
    let other = archived(elsewhere.path(), &fewer);
    tokens::push_file(&mut forged, &other.path).expect("rows");
    let bytes = forged.finish(&file.path).expect("finished").expect("an index");
    fs::write(tokens::path(&file.path), bytes).expect("written");

    assert_eq!(tokens::check(&file.path).expect("checked"), Checked::Hides(0));
}

#[test]
fn the_same_file_gives_the_same_index() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = archived(directory.path(), &(0..20_000).map(line).collect::<Vec<_>>());
    let index = || {
        tokens::build(&file.path).expect("an index");
        fs::read(tokens::path(&file.path)).expect("bytes")
    };
    assert_eq!(index(), index());
}

#[test]
fn nothing_that_is_no_parquet_file_has_an_index() {
    let directory = tempfile::tempdir().expect("a directory");
    for bytes in [&b""[..], b"PAR1", b"\xff\xff\xff\xffPAR1", b"\x01\0\0\0PAR1PAR1"] {
        let path = directory.path().join("x.parquet");
        fs::write(&path, bytes).expect("written");
        assert!(matches!(tokens::build(&path), Err(Error::Damaged { .. })));
        assert_eq!(tokens::lookup(&path, &["a"]).expect("ranges"), [ANYWHERE]);
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<String>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<bool>().prop_map(Into::into),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            proptest::collection::vec((any::<String>(), inner), 0..3)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// The words of the values in a JSON text.
fn words_of(value: &serde_json::Value, out: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => out.extend(words(text)),
        serde_json::Value::Array(items) => items.iter().for_each(|item| words_of(item, out)),
        serde_json::Value::Object(members) => members.values().for_each(|item| words_of(item, out)),
        serde_json::Value::Null => {}
        other => out.extend(words(&other.to_string())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_word_of_any_record_is_hidden(
        records in proptest::collection::vec((any::<String>(), json(), json(), any::<String>()), 1..12)
    ) {
        let directory = tempfile::tempdir().expect("a directory");
        let lines: Vec<String> = records.iter().map(|(message, a, b, error)| {
            serde_json::json!({
                "timestamp": "2026-11-21T10:00:00.000000001Z", "level": "INFO", "category": "c",
                "component": "shop.cart", "message": message, "context": {"a": a},
                "metadata": {"b": b}, "exception": {"type": "E", "message": error},
            }).to_string()
        }).collect();
        let file = archived(directory.path(), &lines);
        tokens::build(&file.path).expect("an index");
        prop_assert_eq!(tokens::check(&file.path).expect("checked"), Checked::Complete);
        for (index, (message, a, b, error)) in (0..).zip(&records) {
            let mut found = [words(message), words(error), words("SHOP cart")].concat();
            words_of(a, &mut found);
            words_of(b, &mut found);
            let found: Vec<&str> = found.iter().map(String::as_str).collect();
            let ranges = tokens::lookup(&file.path, &found).expect("ranges");
            prop_assert!(
                ranges.iter().any(|(first, end)| (*first..*end).contains(&index)),
                "{:?} of {}", found, lines[index as usize]
            );
        }
    }
}

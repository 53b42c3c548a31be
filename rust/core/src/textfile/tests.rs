//! Rotation, whatever comes: everything is in the files once and in order.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use proptest::prelude::*;

use super::{Compression, Failure, Naming, RotateAt, Settings, Text, TextFile};
use crate::clock::parse_rfc3339;

const WAIT: Duration = Duration::from_secs(30);

fn settings(directory: &Path) -> Settings {
    Settings {
        path: directory.join("app.log"),
        max_bytes: 0,
        max_age_ns: None,
        rotate_at: None,
        utc: true,
        naming: Naming::parse("{name}.{n}", "app.log").unwrap(),
        backup_count: None,
        max_total_bytes: None,
        backup_max_age_s: None,
        compression: None,
        permissions: 0o600,
        header: Vec::new(),
        sync: false,
        immutable: false,
        append_only: false,
    }
}

fn at(text: &str) -> u64 {
    parse_rfc3339(text).unwrap()
}

fn write(file: &mut TextFile, text: &str, time: &str) {
    file.write(Text::of_lines(text.as_bytes()), at(time)).unwrap();
}

/// Name and content of every file, the rotated ones in order, then the one being written.
fn content(settings: &Settings) -> Vec<(String, String)> {
    let listed = super::Backups::list(settings).unwrap();
    let files = listed.found.values().flat_map(super::backups::Backup::files);
    let paths = files.map(|found| found.path.clone()).chain([settings.path.clone()]);
    paths
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, read(&path))
        })
        .collect()
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap();
    let text = match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => {
            let mut text = Vec::new();
            std::io::copy(&mut flate2::read::GzDecoder::new(&*bytes), &mut text).unwrap();
            text
        }
        Some("zst") => zstd::decode_all(&*bytes).unwrap(),
        _ => bytes,
    };
    String::from_utf8(text).unwrap()
}

fn texts(settings: &Settings) -> Vec<String> {
    content(settings).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn a_record_goes_whole_into_one_file() {
    let place = tempfile::tempdir().unwrap();
    let settings = Settings { max_bytes: 6, ..settings(place.path()) };
    let mut file = TextFile::new(settings.clone());
    write(&mut file, "aa\nbb\ncc\nlonger than that\nd\n", "2026-11-21T00:00:00Z");
    assert_eq!(texts(&settings), ["aa\nbb\n", "cc\n", "longer than that\n", "d\n"]);
}

#[test]
fn records_of_several_lines_are_not_cut() {
    let place = tempfile::tempdir().unwrap();
    let settings = Settings { max_bytes: 6, ..settings(place.path()) };
    let mut file = TextFile::new(settings.clone());
    let text = Text::of_records(b"a\n b\nc\n d\ne\n", &[5, 10, 12]);
    file.write(text, at("2026-11-21T00:00:00Z")).unwrap();
    assert_eq!(texts(&settings), ["a\n b\n", "c\n d\n", "e\n"][..]);
}

#[test]
fn a_day_ends_at_midnight_and_names_say_when_files_begin() {
    let place = tempfile::tempdir().unwrap();
    let settings = Settings {
        rotate_at: Some(RotateAt { period_s: 86_400, offset_s: 0 }),
        naming: Naming::parse("{stem}.{date}{suffix}", "app.log").unwrap(),
        ..settings(place.path())
    };
    let mut file = TextFile::new(settings.clone());
    write(&mut file, "a\n", "2026-11-21T10:00:00Z");
    write(&mut file, "b\n", "2026-11-21T23:59:59Z");
    write(&mut file, "c\n", "2026-11-22T00:00:00Z");
    write(&mut file, "d\n", "2026-11-25T07:00:00Z");
    let expected =
        [("app.2026-11-21.log", "a\nb\n"), ("app.2026-11-22.log", "c\n"), ("app.log", "d\n")];
    assert_eq!(content(&settings), expected.map(|(name, text)| (name.into(), text.into())));
}

#[test]
fn a_file_is_rotated_when_it_is_old() {
    let place = tempfile::tempdir().unwrap();
    let settings = Settings { max_age_ns: Some(60_000_000_000), ..settings(place.path()) };
    let mut file = TextFile::new(settings.clone());
    write(&mut file, "a\n", "2026-11-21T10:00:00Z");
    write(&mut file, "b\n", "2026-11-21T10:00:59Z");
    write(&mut file, "c\n", "2026-11-21T10:01:00Z");
    write(&mut file, "d\n", "2026-11-21T10:01:59Z");
    assert_eq!(texts(&settings), ["a\nb\n", "c\nd\n"]);
}

#[test]
fn a_second_writer_is_told_to_stay_away_and_takes_over_when_the_first_is_gone() {
    let place = tempfile::tempdir().unwrap();
    let mut first = TextFile::new(settings(place.path()));
    first.open().unwrap();
    let mut second = TextFile::new(settings(place.path()));
    let Err(Failure::Unavailable(error)) = second.open() else { panic!("two writers") };
    assert!(error.to_string().contains("app.log"), "{error}");
    first.close(WAIT);
    second.open().unwrap();
}

#[test]
fn a_name_that_somebody_else_has_taken_is_not_overwritten() {
    let place = tempfile::tempdir().unwrap();
    let settings = Settings { max_bytes: 1, ..settings(place.path()) };
    fs::create_dir(place.path().join("app.log.1")).unwrap();
    std::os::unix::fs::symlink("nowhere", place.path().join("app.log.2.gz")).unwrap();
    let mut file = TextFile::new(settings.clone());
    write(&mut file, "a\nb\n", "2026-11-21T10:00:00Z");
    assert_eq!(content(&settings)[0], ("app.log.3".into(), "a\n".into()));
}

#[test]
fn a_rotation_that_fails_leaves_the_file_being_written_and_is_tried_again() {
    let place = tempfile::tempdir().unwrap();
    let settings = Settings { max_bytes: 2, ..settings(place.path()) };
    let mut file = TextFile::new(settings.clone());
    write(&mut file, "a\n", "2026-11-21T10:00:00Z");
    // A directory that is not empty stands where the next file is prepared.
    let obstacle = place.path().join(".app.log.new").join("x");
    fs::create_dir_all(&obstacle).unwrap();
    write(&mut file, "b\nc\n", "2026-11-21T10:00:00Z");
    assert_eq!(texts(&settings), ["a\nb\nc\n"]);
    assert_eq!(file.counts().rotation_errors.load(Ordering::Relaxed), 1);
    fs::remove_dir_all(place.path().join(".app.log.new")).unwrap();
    write(&mut file, "d\n", "2026-11-21T10:00:02Z");
    assert_eq!(texts(&settings), ["a\nb\nc\n", "d\n"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn everything_is_in_the_files_once_and_in_order(
        batches in prop::collection::vec(prop::collection::vec("[a-z]{0,30}", 1..8), 1..12),
        max_bytes in 1_u64..80,
        kind in prop::sample::select(
            vec![None, Some(Compression::Gzip), Some(Compression::Zstd)]
        ),
        restarts in prop::collection::vec(any::<bool>(), 12),
        steps in prop::collection::vec(0_u64..3, 12),
        pattern in prop::sample::select(vec!["{name}.{n}", "{stem}.{time}{suffix}", "{date}"]),
    ) {
        let place = tempfile::tempdir().unwrap();
        let naming = Naming::parse(pattern, "app.log").unwrap();
        let settings =
            Settings { max_bytes, compression: kind, naming, ..settings(place.path()) };
        let mut file = TextFile::new(settings.clone());
        let mut time = at("2026-11-21T00:00:00Z");
        let mut all = String::new();
        for (at, batch) in batches.iter().enumerate() {
            let text = batch.join("\n") + "\n";
            file.write(Text::of_lines(text.as_bytes()), time).unwrap();
            all.push_str(&text);
            time += steps[at] * 700_000_000;
            if restarts[at] {
                file.close(WAIT);
            }
        }
        file.close(WAIT);
        let files = content(&settings);
        let joined: String = files.iter().map(|(_, text)| text.as_str()).collect();
        prop_assert_eq!(joined, all);
        for (name, text) in &files {
            prop_assert!(text.len() as u64 <= max_bytes || text.matches('\n').count() == 1);
            let compressed = kind.is_some_and(|kind| name.ends_with(kind.extension()));
            prop_assert_eq!(compressed, kind.is_some() && name != "app.log");
        }
    }

    #[test]
    fn exactly_as_many_old_files_stay_as_are_wanted(
        count in 1_usize..8, records in 1_usize..30,
        kind in prop::sample::select(
            vec![None, Some(Compression::Gzip), Some(Compression::Zstd)]
        ),
    ) {
        let place = tempfile::tempdir().unwrap();
        let settings = Settings {
            max_bytes: 1, backup_count: Some(count), compression: kind, ..settings(place.path())
        };
        let mut file = TextFile::new(settings.clone());
        let lines: Vec<String> = (0..records).map(|number| format!("{number}\n")).collect();
        let text = lines.concat();
        file.write(Text::of_lines(text.as_bytes()), at("2026-11-21T00:00:00Z")).unwrap();
        file.close(WAIT);
        let newest: Vec<String> =
            (records.saturating_sub(count + 1)..records).map(|n| format!("{n}\n")).collect();
        prop_assert_eq!(texts(&settings), newest);
    }
}

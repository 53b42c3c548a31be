//! Foreign text on its way in, and lines on their way to people.

use std::str::from_utf8;

use serde_json::{Map, Value};
use treering_core::clock::{parse_rfc3339, rfc3339};
use treering_core::filter::Filter;
use treering_core::format::{otlp_logs, Batch, Formatter, Options, PRESETS, SHAPES};
use treering_core::level::{self, Level};
use treering_core::line::{push_string, read_string, visible};
use treering_core::recognise::{push_json, Counts, Recogniser, Zone};

const MAX_NESTED: usize = 100;

type Record = (Level, u64, Vec<u8>);

fn recognised<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Record>, Counts) {
    let mut records = Vec::new();
    let mut emit =
        |level: Level, time: u64, line: &[u8]| records.push((level, time, line.to_vec()));
    let mut recogniser = Recogniser::new("check", Zone::Utc);
    pieces.for_each(|piece| recogniser.feed(piece, &mut emit));
    recogniser.finish(&mut emit);
    (records, recogniser.counts())
}

/// Any bytes become canonical lines, the same in whatever pieces they come, that stay as they are
/// when they come again.
///
/// Not claimed: of lines that are canonical JSON already, that their time and level are readable;
/// of objects nested nearly as deep as `serde_json` reads, that their lines are not too deep for it.
pub fn recognise(input: &[u8]) {
    if input.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() > MAX_NESTED {
        return;
    }
    let (records, counts) = recognised(std::iter::once(input));
    assert_eq!(counts.records, records.len() as u64, "records are counted");
    let (in_pieces, counts_in_pieces) = recognised(input.chunks(7));
    assert_eq!(counts_in_pieces, counts, "pieces do not matter");
    // Records without a time of their own get that of their arrival, in the first 44 bytes.
    let after_time = |records: &[Record]| -> Vec<Vec<u8>> {
        records.iter().map(|(_, _, line)| line.get(44..).unwrap_or_default().to_vec()).collect()
    };
    assert_eq!(after_time(&in_pieces), after_time(&records), "pieces do not matter");
    for (level, time, line) in &records {
        assert!(is_canonical(line), "a line is canonical: {}", line.escape_ascii());
        if input.windows(line.len()).any(|part| part == line) {
            continue;
        }
        let record: Map<String, Value> = serde_json::from_slice(line).expect("a record");
        let said = |key: &str| record.get(key).and_then(Value::as_str);
        assert_eq!(said("timestamp"), Some(&*rfc3339(*time)), "it says its time");
        assert_eq!(said("level"), Some(&*level::name(*level)), "it says its level");
        assert!(said("message").is_some(), "it has a message");
    }
    let lines: Vec<u8> =
        records.iter().flat_map(|(_, _, line)| [line, &b"\n"[..]].concat()).collect();
    let (again, _) = recognised(std::iter::once(lines.as_slice()));
    let line_of = |record: &Record| record.2.clone();
    assert!(again.iter().map(line_of).eq(records.iter().map(line_of)), "lines stay as they are");
}

fn is_canonical(line: &[u8]) -> bool {
    let mut again = Vec::with_capacity(line.len());
    match serde_json::from_slice::<Value>(line) {
        Ok(value @ Value::Object(_)) => push_json(&mut again, &value),
        _ => return false,
    }
    again == line
}

/// A time that is read is written back as the same time, and its canonical spelling as itself.
pub fn time(input: &[u8]) {
    let Ok(text) = from_utf8(input) else { return };
    let Some(time) = parse_rfc3339(text) else { return };
    let written = rfc3339(time);
    assert_eq!(parse_rfc3339(&written), Some(time), "a time reads back");
    let is_leap_second = text.get(17..19) == Some("60");
    let has_our_form = text.len() == written.len() && text.ends_with('Z') && &text[19..20] == ".";
    if has_our_form && &text[10..11] == "T" && !is_leap_second {
        assert_eq!(written, text, "a time has one canonical spelling");
    }
}

/// Any line can be shown in any format without a terminal obeying it, and filters that look at a canonical line
/// cheaply choose as those that parse it.
pub fn line(input: &[u8]) {
    let text = visible(input);
    let mut written = Vec::new();
    push_string(&mut written, &text);
    let written = from_utf8(&written).expect("a JSON string is UTF-8");
    assert_eq!(read_string(written).as_deref(), Some(&*text), "a string reads back");
    show(input);
    if is_canonical(input) {
        filter(input);
    }
}

/// In every format, one line that is not obeyed.
fn show(line: &[u8]) {
    let (mut batch, mut shown) = (Batch::default(), Vec::new());
    for format in PRESETS.iter().map(|(name, _)| *name).chain(SHAPES) {
        let formatter = Formatter::new(format, Options::default()).expect("a format");
        shown.clear();
        formatter.push(line, Some(7), &mut batch, &mut shown);
        if format == "treering" && line == shown {
            continue;
        }
        let shown = from_utf8(&shown).expect("what is shown is UTF-8");
        let is_harmless = |shown: char| {
            !shown.is_control()
                && !matches!(shown, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(shown.chars().all(is_harmless), "a terminal obeys nothing of {format}");
    }
    assert!(otlp_logs(line, b"{}", b"{}").is_some(), "any line is a record for OpenTelemetry");
}

fn filter(line: &[u8]) {
    let none = Filter::default();
    let filters = [
        none.clone(),
        Filter { level: Some(level::WARNING), ..none.clone() },
        Filter { component: Some("auth".into()), ..none.clone() },
        Filter { component: Some("treering*".into()), ..none.clone() },
        Filter { category: Some("journal".into()), ..none.clone() },
        Filter { since_ns: Some(1_700_000_000_000_000_000), ..none.clone() },
        Filter { grep: Some("grüße".into()), ..none.clone() },
        Filter { fields: vec![("user_id".into(), "7".into())], ..none },
    ];
    // With a space in front no filter knows the line's form.
    let unusual = [b" ", line].concat();
    for filter in filters {
        assert_eq!(filter.matches(line), filter.matches(&unusual), "{filter:?}");
    }
}

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{json, Value};

use super::{ConsoleOutput, Style};
use crate::format::{traceback, Batch, Options};
use crate::process::ProcessOutput;
use crate::ring::{frame_bytes, Frames, FRAME_HEADER_BYTES};

fn style(format: &str, colour: bool, sources: bool) -> Arc<Style> {
    let options = Options { colour, ..Options::default() };
    Arc::new(Style::new(format, options, sources).expect("a format"))
}

fn plain() -> Arc<Style> {
    style("text", false, false)
}

fn shown_line(line: &[u8], style: &Style) -> String {
    let mut out = Vec::new();
    super::render(line, None, style, &mut Batch::default(), &mut out);
    String::from_utf8(out).expect("utf-8")
}

fn shown_with(record: &Value, style: &Style) -> String {
    shown_line(record.to_string().as_bytes(), style)
}

fn shown(record: &Value) -> String {
    shown_with(record, &plain())
}

#[test]
fn a_record_is_one_line() {
    let record = json!({
        "timestamp": "2026-11-21T10:30:45.123456789Z", "level": "INFO", "category": "x",
        "component": "auth", "message": "User authenticated",
        "context": {"request": "a b"}, "metadata": {"user_id": 7, "tags": ["a", "b c"], "no": null},
        "performance_data": {"ms": 1.5},
    });
    let text = shown(&record);
    let (time, rest) = text.split_at(21);
    let time = time.strip_prefix('[').and_then(|time| time.strip_suffix(']')).expect("brackets");
    let local = crate::clock::parse_rfc3339(time).expect("a time");
    let apart =
        local.abs_diff(crate::clock::parse_rfc3339("2026-11-21T10:30:45Z").expect("a time"));
    assert_eq!(apart % 900_000_000_000, 0);
    let fields = r#"user_id=7 tags=["a","b c"] no=null request="a b" ms=1.5"#;
    assert_eq!(rest, format!(" [INFO    ] auth: User authenticated  {fields}\n"));
}

#[test]
fn security_and_audit_show_their_category() {
    let text = shown(&json!({"level": "AUDIT", "category": "journal", "message": "created"}));
    assert_eq!(text, "[] [AUDIT   ] created  category=journal\n");
}

#[test]
fn colours_go_around_level_and_keys() {
    let text = shown_with(
        &json!({"level": "ERROR", "message": "m", "metadata": {"a": 1}}),
        &style("text", true, false),
    );
    assert_eq!(text, "[] \x1b[31m[ERROR   ]\x1b[0m m  \x1b[2ma=\x1b[0m1\n");
}

#[test]
fn other_lines_are_shown_raw_and_json_as_it_is() {
    let shown = |line: &[u8]| shown_line(line, &plain());
    assert_eq!(shown(b"not \x1b[1m json\xff"), "not \\x1b[1m json\\xff\n");
    assert_eq!(shown(b"[1]"), "[1]\n");
    assert_eq!(shown_line(br#"{"a":1}"#, &style("json", false, false)), "{\"a\":1}\n");
}

#[test]
fn exceptions_read_as_in_python() {
    let directory = tempfile::tempdir().expect("works");
    let file = directory.path().join("x.py");
    std::fs::write(&file, "def f():\n\n    raise ValueError  # \x1b\n").expect("works");
    let stack = json!([{"file": file, "line": 3, "function": "f"}]);
    let record = json!({"level": "ERROR", "message": "m", "exception": {
        "type": "ValueError", "message": "two\nlines\r", "stack": stack, "notes": ["a note"],
        "cause": {"type": "KeyError", "message": "'k'", "context": {"type": "OSError"}},
    }});
    let place = format!("    File \"{}\", line 3, in f\n", file.display());
    let expected = format!(
        "[] [ERROR   ] m\n  OSError\n\n  {}\n\n  KeyError: 'k'\n\n  {}\n\n  {}\n{place}{}",
        traceback::CONTEXT,
        traceback::CAUSE,
        "Traceback (most recent call last):",
        "      raise ValueError  # \\x1b\n  ValueError: two\n  lines\\r\n  a note\n",
    );
    assert_eq!(shown_with(&record, &style("text", false, true)), expected);
}

#[test]
fn groups_read_as_in_python() {
    let stack = json!([{"file": "x.py", "line": 3, "function": "f"}]);
    let inner = json!({"type": "ExceptionGroup", "message": "in", "exceptions": [{"type": "B"}]});
    let record = json!({"level": "ERROR", "message": "m", "exception": {
        "type": "ExceptionGroup", "message": "out", "stack": stack,
        "exceptions": [{"type": "A", "stack": stack}, inner],
    }});
    let expected = "[] [ERROR   ] m
    + Exception Group Traceback (most recent call last):
    |   File \"x.py\", line 3, in f
    | ExceptionGroup: out
    +-+---------------- 1 ----------------
      | Traceback (most recent call last):
      |   File \"x.py\", line 3, in f
      | A
      +---------------- 2 ----------------
      | ExceptionGroup: in
      +-+---------------- 1 ----------------
        | B
        +------------------------------------
";
    assert_eq!(shown(&record), expected);
}

fn frame(line: &str) -> Vec<u8> {
    let mut bytes = vec![0; FRAME_HEADER_BYTES];
    bytes[..4].copy_from_slice(&u32::try_from(line.len()).expect("works").to_le_bytes());
    bytes.extend_from_slice(line.as_bytes());
    bytes.resize(frame_bytes(line.len()), 0);
    bytes
}

#[test]
fn the_output_says_what_it_lost() {
    use std::io::{Read, Seek};
    use std::os::fd::AsRawFd;

    let mut file = tempfile::tempfile().expect("works");
    let mut output = ConsoleOutput::new(plain(), file.as_raw_fd());
    output.write(Frames::new(&frame(r#"{"level":"INFO","message":"m"}"#)), 1204);
    output.write(Frames::new(&[]), 1);
    let mut text = String::new();
    file.rewind().expect("works");
    file.read_to_string(&mut text).expect("works");
    let expected = "treering: 1,204 records not shown\n[] [INFO    ] m\n";
    assert_eq!(text, format!("{expected}treering: 1 record not shown\n"));
}

#[test]
fn an_output_nobody_reads_gives_up_and_says_so_later() {
    use std::io::Read;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    let (ours, mut theirs) = UnixStream::pair().expect("works");
    ours.set_nonblocking(true).expect("works");
    theirs.set_nonblocking(true).expect("works");
    let mut output = ConsoleOutput::new(plain(), ours.as_raw_fd());
    let long = format!(r#"{{"level":"INFO","message":"{}"}}"#, "x".repeat(4 << 20));
    output.write(Frames::new(&frame(&long)), 0);
    let mut seen = Vec::new();
    let _ = theirs.read_to_end(&mut seen);
    assert!(seen.starts_with(b"[] [INFO    ] xxx") && seen.len() < long.len());
    output.write(Frames::new(&frame(r#"{"level":"INFO","message":"m"}"#)), 2);
    seen.clear();
    let _ = theirs.read_to_end(&mut seen);
    assert_eq!(seen, b"\ntreering: 3 records not shown\n[] [INFO    ] m\n");
    drop(theirs);
    output.write(Frames::new(&frame("{}")), 0);
    output.write(Frames::new(&frame("{}")), 0);
}

/// Our own colours taken out; what remains of ESC was not ours.
fn without_colours(text: &str) -> String {
    let colours = ["0", "2", "90", "36", "32", "33", "31", "35", "37;41", "37;44"];
    colours.iter().fold(text.to_owned(), |text, code| text.replace(&format!("\x1b[{code}m"), ""))
}

/// Any text, and text that terminals would obey more often than chance has it.
fn hostile() -> impl Strategy<Value = String> {
    let obeyed = "[\\x00-\\x1f\\x7f-\\u{9f}\\u{2028}-\\u{202e}\\u{2066}-\\u{2069}a\"= ]{0,12}";
    prop_oneof![any::<String>(), obeyed]
}

proptest! {
    #[test]
    fn nothing_a_record_says_is_obeyed(
        message in hostile(), component in hostile(), key in hostile(), value in hostile(),
        level in prop_oneof![Just("AUDIT".to_owned()), Just("INFO".to_owned()), hostile()],
        coloured: bool,
    ) {
        let record = json!({
            "timestamp": value, "level": level, "category": message, "component": component,
            "message": message, "context": {key.clone(): value, "nested": {key.clone(): [value]}},
            "metadata": {key: value},
        });
        let text = shown_with(&record, &style("text", coloured, false));
        let text = without_colours(&text);
        let line = text.strip_suffix('\n').expect("a line feed");
        let obeyed = |character: char| {
            character.is_control() || ('\u{202a}'..='\u{202e}').contains(&character)
                || ('\u{2066}'..='\u{2069}').contains(&character)
        };
        prop_assert!(!line.contains(obeyed), "{line:?}");
    }

    #[test]
    fn no_bytes_are_obeyed(bytes: Vec<u8>) {
        let text = shown_line(&bytes, &plain());
        prop_assert!(!text.strip_suffix('\n').expect("a line feed").contains(char::is_control));
    }
}

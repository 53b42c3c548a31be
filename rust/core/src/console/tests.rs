use proptest::prelude::*;
use serde_json::json;

use super::{render, Style};

fn shown(record: &serde_json::Value) -> String {
    let mut out = Vec::new();
    render(record.to_string().as_bytes(), &Style::default(), &mut out);
    String::from_utf8(out).expect("utf-8")
}

#[test]
fn a_record_is_one_line_with_its_fields_after_the_message() {
    let record = json!({
        "timestamp": "2026-11-21T10:30:45.123456789Z", "level": "INFO", "component": "auth",
        "message": "User authenticated", "metadata": {"user_id": 7, "method": "pass word"},
        "context": {"request_id": "r1"},
    });
    let shown = shown(&record);
    let rest = shown.split_once("] ").expect("time").1;
    assert_eq!(rest, "[INFO    ] auth: User authenticated  user_id=7 method=\"pass word\" request_id=r1\n");
}

#[test]
fn exceptions_read_as_python_prints_them() {
    let record = json!({
        "level": "ERROR", "message": "Payment failed",
        "exception": {
            "type": "ValueError", "message": "bad\ncard",
            "stack": [{"file": "shop.py", "line": 3, "function": "pay"}],
            "cause": {"type": "KeyError", "message": "'card'"},
        },
    });
    let expected = "\
[] [ERROR   ] Payment failed
  KeyError: 'card'

  The above exception was the direct cause of the following exception:

  Traceback (most recent call last):
    File \"shop.py\", line 3, in pay
  ValueError: bad\\ncard
";
    assert_eq!(shown(&record), expected);
}

#[test]
fn what_is_not_a_record_is_shown_as_it_is_but_harmless() {
    let mut out = Vec::new();
    render(b"plain \x1b[2J text", &Style::default(), &mut out);
    assert_eq!(out, b"plain \\x1b[2J text\n");
}

proptest! {
    #[test]
    fn no_text_forges_a_line_or_a_terminal_sequence(
        message in any::<String>(), component in any::<String>(), key in any::<String>(), value in any::<String>(),
    ) {
        let record = json!({
            "level": value, "message": message, "component": component, "timestamp": key,
            "metadata": {key.clone(): value.clone()}, "context": {value.clone(): [key.clone()]},
        });
        let shown = shown(&record);
        prop_assert_eq!(shown.matches('\n').count(), 1);
        prop_assert!(shown.ends_with('\n'));
        prop_assert!(!shown.trim_end_matches('\n').chars().any(|char| char.is_control()));
    }
}

//! Lines and patterns on their way through redaction.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;
use treering_core::redact::{Pattern, Redactor, Rules};

const PLANTED: &str = "AKIAIOSFODNN7EXAMPLE";

fn built_in() -> &'static Redactor {
    static REDACTOR: OnceLock<Redactor> = OnceLock::new();
    REDACTOR.get_or_init(Redactor::default)
}

fn whole(redactor: &Redactor, line: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match redactor.whole(line, &mut out) {
        0 => line.to_vec(),
        _ => out,
    }
}

/// JSON as we write it: anything else is redacted as text.
fn is_compact(input: &[u8]) -> bool {
    let mut again = Vec::new();
    serde_json::from_slice(input).is_ok_and(|value: Value| {
        treering_core::recognise::push_json(&mut again, &value);
        again == input
    })
}

/// Whatever the bytes: canonical JSON stays JSON on one line, doing it twice changes nothing, the quick search
/// misses nothing that is in a canonical line, and a planted secret is gone.
pub fn redact(input: &[u8]) {
    let redactor = built_in();
    let once = whole(redactor, input);
    let is_json = |line: &[u8]| serde_json::from_slice::<Value>(line).is_ok();
    assert!(!is_compact(input) || is_json(&once), "JSON stays JSON: {}", once.escape_ascii());
    let text = String::from_utf8_lossy(input);
    let message = Value::from(format!("{text} {PLANTED} {text}")).to_string();
    let mut line = b"{\"message\":".to_vec();
    let read = treering_core::line::read_string(&message).expect("a JSON string");
    treering_core::line::push_string(&mut line, &read);
    line.push(b'}');
    let mut out = Vec::new();
    assert!(redactor.values(&line, &mut out) > 0, "a planted secret is found");
    assert!(is_json(&out) && !out.contains(&b'\n'), "a line is JSON on one line");
    assert!(!String::from_utf8_lossy(&out).contains(PLANTED), "a planted secret is gone");
    assert_eq!(whole(redactor, &out), whole(redactor, &line), "both ways find the same");
    let mut batch = [&line[..], b"\n"].concat();
    redactor.batch(&mut batch, 0);
    assert_eq!(batch.strip_suffix(b"\n"), Some(&out[..]), "a batch is its lines");
    let mut again = Vec::new();
    assert_eq!(redactor.values(&out, &mut again), 0, "twice is once: {}", out.escape_ascii());
}

/// A pattern is refused or used; what it matches is gone.
pub fn redaction_pattern(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (pattern, text) = text.split_once('\n').unwrap_or((&text, "some text 17"));
    let patterns = BTreeMap::from([("p".to_owned(), Pattern::Expression(pattern.to_owned()))]);
    let Ok(redactor) = Redactor::new(Rules { patterns, ..Rules::default() }, None) else {
        return;
    };
    let mut line = b"{\"message\":".to_vec();
    treering_core::line::push_string(&mut line, text);
    line.push(b'}');
    let mut out = Vec::new();
    let found = redactor.values(&line, &mut out);
    assert_eq!(found > 0, redactor.text(text).is_some() || redactor.text("message").is_some());
    assert!(found == 0 || serde_json::from_slice::<Value>(&out).is_ok(), "a line is JSON");
}

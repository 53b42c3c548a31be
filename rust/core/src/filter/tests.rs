use super::{Events, Filter};
use crate::clock::parse_rfc3339;
use crate::level;

const LINE: &str = concat!(
    r#"{"timestamp":"2026-11-21T01:18:00.123456789Z","level":"WARNING","category":"login","#,
    r#""component":"auth.tokens","message":"Tok\u00e9n \"x\" RÉFUSÉ","context":{"user_id":7,"#,
    r#""method":"key"},"metadata":{"method":"password","http.status":403,"peer":{"port":80},"#,
    r#""ok":false,"ratio":1.5}}"#
);
const OTHER_ORDER: &str = r#"{"message":"m","component":"auth","level":"INFO"}"#;
const JOURNAL: &str = concat!(
    r#"{"timestamp":"2026-11-21T01:18:00Z","level":"AUDIT","category":"journal","#,
    r#""component":"treering.journal","message":"created"}"#
);

fn all() -> Filter {
    Filter::default()
}

fn component(pattern: &str) -> Filter {
    Filter { component: Some(pattern.into()), ..all() }
}

fn grep(needle: &str) -> Filter {
    Filter { grep: Some(needle.into()), ..all() }
}

fn field(path: &str, value: &str) -> Filter {
    Filter { fields: vec![(path.into(), value.into())], ..all() }
}

#[test]
fn levels_are_thresholds() {
    let at_least = |lowest| Filter { level: Some(lowest), ..all() };
    assert!(at_least(level::WARNING).matches(LINE.as_bytes()));
    assert!(!at_least(level::ERROR).matches(LINE.as_bytes()));
    assert!(at_least(level::INFO).matches(OTHER_ORDER.as_bytes()));
    assert!(!at_least(level::WARNING).matches(OTHER_ORDER.as_bytes()));
}

#[test]
fn components_match_by_name_tree_and_beginning() {
    for (pattern, tokens, auth) in [
        ("auth", true, true),
        ("auth.tokens", true, false),
        ("auth.*", true, false),
        ("auth*", true, true),
        ("au*", true, true),
        ("au", false, false),
        ("auth.tok", false, false),
        ("*", true, true),
    ] {
        assert_eq!(component(pattern).matches(LINE.as_bytes()), tokens, "{pattern}");
        assert_eq!(component(pattern).matches(OTHER_ORDER.as_bytes()), auth, "{pattern}");
    }
}

#[test]
fn categories_match_whole() {
    let category = |name: &str| Filter { category: Some(name.into()), ..all() };
    assert!(category("login").matches(LINE.as_bytes()));
    assert!(!category("log").matches(LINE.as_bytes()));
    assert!(!category("login").matches(OTHER_ORDER.as_bytes()));
}

#[test]
fn since_includes_and_until_does_not() {
    let at = parse_rfc3339("2026-11-21T01:18:00.123456789Z");
    let after = at.map(|at| at + 1);
    assert!(Filter { since_ns: at, until_ns: after, ..all() }.matches(LINE.as_bytes()));
    assert!(!Filter { since_ns: after, ..all() }.matches(LINE.as_bytes()));
    assert!(!Filter { until_ns: at, ..all() }.matches(LINE.as_bytes()));
    assert!(!Filter { since_ns: Some(0), ..all() }.matches(OTHER_ORDER.as_bytes()));
}

#[test]
fn text_is_found_in_any_case_and_spelling() {
    for needle in ["", "tok", "TOKÉN", "token \"x\" réfusé", "tokén \"X\"", "\"component\":\"auth."]
    {
        assert_eq!(
            grep(needle).matches(LINE.as_bytes()),
            needle != "token \"x\" réfusé",
            "{needle}"
        );
    }
    assert!(!grep("nowhere").matches(LINE.as_bytes()));
    assert!(grep("\u{1f600}!").matches(br#"{"message":"\\\ud83d\ude00!"}"#));
    assert!(grep("PLAIN").matches(b"a plain line \\"));
}

#[test]
fn fields_are_found_by_path_or_key() {
    for (path, value, found) in [
        ("context.user_id", "7", true),
        ("user_id", "7", true),
        ("user_id", "8", false),
        ("method", "password", true),
        ("method", "key", false),
        ("context.method", "key", true),
        ("http.status", "403", true),
        ("peer.port", "80", true),
        ("metadata.peer.port", "80", true),
        ("peer", r#"{"port":80}"#, true),
        ("ok", "false", true),
        ("ratio", "1.5", true),
        ("level", "WARNING", true),
        ("absent", "x", false),
    ] {
        assert_eq!(field(path, value).matches(LINE.as_bytes()), found, "{path}={value}");
    }
    let mut both = field("user_id", "7");
    both.level = Some(level::ERROR);
    assert!(!both.matches(LINE.as_bytes()));
}

#[test]
fn the_journal_speaks_only_when_asked() {
    assert!(!all().matches(JOURNAL.as_bytes()));
    assert!(!component("*").matches(JOURNAL.as_bytes()));
    assert!(component("treering").matches(JOURNAL.as_bytes()));
    assert!(component("treering.journal").matches(JOURNAL.as_bytes()));
    assert!(Filter { journal: true, ..all() }.matches(JOURNAL.as_bytes()));
    assert!(!all().matches(br#"{"component":"treering.journal"}"#));
}

#[test]
fn lines_that_are_no_record_have_only_text() {
    assert!(all().matches(b"noise"));
    assert!(grep("NOISE").matches(b"noise"));
    assert!(!component("noise").matches(b"noise"));
    assert!(!field("a", "noise").matches(b"noise"));
}

#[test]
fn events_pass_by_their_numbers() {
    let events = |included: &[(u64, u64)], excluded: &[(u64, u64)]| Filter {
        events: Some(Events { included: included.into(), excluded: excluded.into() }),
        ..all()
    };
    let event = LINE.replace("\"context\"", "\"event_id\":\"000002500\",\"context\"");
    let (event, none) = (event.as_bytes(), LINE.as_bytes());

    assert!(events(&[(2000, 2500)], &[]).matches(event));
    assert!(!events(&[(2501, 3000)], &[]).matches(event));
    assert!(!events(&[], &[(2500, 2500)]).matches(event));
    assert!(events(&[], &[(1, 2)]).matches(event));
    assert!(events(&[(2500, 2500)], &[(2500, 2500)]).matches(event), "included and excluded");
    assert!(events(&[], &[(0, u64::MAX)]).matches(none), "no event, nothing to exclude");
    assert!(!events(&[(0, u64::MAX)], &[]).matches(none), "no event, nothing to include");
    assert!(events(&[], &[]).matches(event) && events(&[], &[]).matches(none));
}

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;

use super::{Action, Pattern, Pseudonyms, Redactor, Rules};
use crate::line::push_string;
use crate::recognise::push_json;

const AWS: &str = "AKIAIOSFODNN7EXAMPLE";
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r";
const PEM: &str =
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nabc/+=\n-----END RSA PRIVATE KEY-----";

fn redacted(text: &str) -> String {
    Redactor::default().text(text).map_or_else(|| text.to_owned(), |(redacted, _)| redacted)
}

fn with(rules: Rules) -> Redactor {
    Redactor::new(rules, Some(Pseudonyms::new(b"a key of the tests"))).expect("rules")
}

fn patterns(named: &[(&str, &str)]) -> BTreeMap<String, Pattern> {
    let pattern = |text: &str| Pattern::Expression(text.to_owned());
    named.iter().map(|(name, text)| ((*name).to_owned(), pattern(text))).collect()
}

/// The line, redacted by value; itself when nothing was found.
fn values(redactor: &Redactor, line: &str) -> String {
    let mut out = Vec::new();
    match redactor.values(line.as_bytes(), &mut out) {
        0 => line.to_owned(),
        _ => String::from_utf8(out).expect("text"),
    }
}

fn whole(redactor: &Redactor, line: &str) -> String {
    let mut out = Vec::new();
    match redactor.whole(line.as_bytes(), &mut out) {
        0 => line.to_owned(),
        _ => String::from_utf8(out).expect("text"),
    }
}

fn line_of(message: &str) -> String {
    let mut line =
        br#"{"timestamp":"2026-11-21T01:18:00.123456789Z","level":"INFO","message":"#.to_vec();
    push_string(&mut line, message);
    line.extend_from_slice(br#","process":4111111111111111,"metadata":{"n":7}}"#);
    String::from_utf8(line).expect("text")
}

#[test]
fn secrets_are_known_by_their_form() {
    for (text, wanted) in [
        (AWS, "[REDACTED]"),
        (JWT, "[REDACTED]"),
        (PEM, "[REDACTED]"),
        ("key AIzaSyA-1234567890abcdefghijklmnopqrstu!", "key [REDACTED]!"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "[REDACTED]"),
        ("github_pat_11AAAAAAA0abcdefghij_klmnop", "[REDACTED]"),
        ("xoxb-123456789012-abcdefGHIJ", "[REDACTED]"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "[REDACTED]"),
        ("sk-proj-abcdefghij0123456789ABCDEF", "[REDACTED]"),
        ("curl -H 'authorization: Bearer abc.DEF-123' x", "curl -H 'authorization: [REDACTED]' x"),
        ("sent Bearer 0123456789abcdef ok", "sent Bearer [REDACTED] ok"),
        ("Basic dXNlcjpwYXNz!", "Basic [REDACTED]!"),
        ("postgres://app:s3cret@db:5432/x", "postgres://app:[REDACTED]@db:5432/x"),
        ("redis://:p%40ss@h", "redis://:[REDACTED]@h"),
        ("amqp://u:a/b@h/v", "amqp://u:[REDACTED]@h/v"),
        ("paid with 4111 1111 1111 1111.", "paid with [REDACTED]."),
    ] {
        assert_eq!(redacted(text), wanted);
    }
}

#[test]
fn secrets_are_known_by_what_they_are_assigned_to() {
    for (text, wanted) in [
        ("password=hunter2", "password=[REDACTED]"),
        ("login(password=a,b!c, user=7)", "login(password=[REDACTED], user=7)"),
        ("PASSWORD: hunter2", "PASSWORD: [REDACTED]"),
        ("api_key=abc&x=1", "api_key=[REDACTED]&x=1"),
        ("X-Api-Key: 12345678", "X-Api-Key: [REDACTED]"),
        ("secret = abc", "secret = [REDACTED]"),
        ("token: 8f14e45fceea", "token: [REDACTED]"),
        ("{'password': 'it''s', 'n': 1}", "{'password': '[REDACTED]''s', 'n': 1}"),
        ("{'password': 'it\\'s', 'n': 1}", "{'password': '[REDACTED]', 'n': 1}"),
        ("{\"token\":\"a b\"}", "{\"token\":\"[REDACTED]\"}"),
        ("{\\\"token\\\":\\\"a b\\\"}", "{\\\"token\\\":\\\"[REDACTED]\\\"}"),
        ("{'cookies': {'a': '1'}, 'b': 2}", "{'cookies': [REDACTED], 'b': 2}"),
        ("Cookie: a=1; b=2\nHost: x", "Cookie: [REDACTED]\nHost: x"),
        ("Authorization: Digest username=\"x\", nonce=\"y\"", "Authorization: [REDACTED]"),
        ("token   =   abc", "token   =   [REDACTED]"),
        ("<password>it's x</password>", "<password>[REDACTED]</password>"),
        ("psql --password hunter2 -h db", "psql --password [REDACTED] -h db"),
        ("deploy --api-key 12345678", "deploy --api-key [REDACTED]"),
        ("Server=db;Password=a=b;Port=1", "Server=db;Password=[REDACTED];Port=1"),
    ] {
        assert_eq!(redacted(text), wanted);
    }
}

#[test]
fn sentences_about_secrets_stay() {
    for text in [
        "password: must be longer",
        "token: expired",
        "unexpected token: '}'",
        "max_tokens=17 token_count=3",
        "password=None secret=null",
        "password=[REDACTED] token=***",
        "Basic information, bearer of news, a task-force",
        "https://example.com/a:b@c http://h:8080/x@y mailto:a@b git@host:x/y",
        "eyJust a word",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "AKIA is a prefix, AKIAIOSFODNN7EXAMPLEX is none",
        "KeyError: 'user' in primary_key: 7",
        "std::token::next",
        "use --password to set it, --token is missing",
        "--password --verbose",
        "a password > 8 characters, <password> is empty",
    ] {
        assert_eq!(redacted(text), text);
    }
}

#[test]
fn a_line_is_redacted_where_its_strings_say_so() {
    let redactor = Redactor::default();
    let line = line_of(&format!("a\t{PEM}\u{1f512} b"));
    assert_eq!(values(&redactor, &line), line_of("a\t[REDACTED]\u{1f512} b"));
    let nested =
        format!(r#"{{"a":[{{"{AWS}":1,"{JWT}":[{{"x":"{AWS}"}}]}}],"n":4111111111111111}}"#);
    assert_eq!(
        values(&redactor, &nested),
        r#"{"a":[{"[REDACTED]":1,"[REDACTED] 2":[{"x":"[REDACTED]"}]}],"n":"[REDACTED]"}"#
    );
}

#[test]
fn what_is_no_line_of_ours_is_redacted_as_text() {
    let redactor = Redactor::default();
    for line in ["{\"a\":\"AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", "[AKIAIOSFODNN7EXAMPLE"] {
        assert_eq!(values(&redactor, line), line.replace(AWS, "[REDACTED]"));
    }
}

#[test]
fn foreign_lines_are_redacted_by_key_at_any_depth() {
    let redactor = Redactor::default();
    let line = r#"{"message":"m","metadata":{"password":"x","a":[{"apiKey":{"b":[1]},"token":null}],"secret":true}}"#;
    assert_eq!(
        whole(&redactor, line),
        r#"{"message":"m","metadata":{"password":"[REDACTED]","a":[{"apiKey":"[REDACTED]","token":null}],"secret":true}}"#
    );
}

#[test]
fn secrets_are_dropped_or_named_by_pseudonyms_when_asked() {
    let actions = |action| BTreeMap::from([(String::new(), action)]);
    let dropping = with(Rules { actions: actions(Action::Drop), ..Rules::default() });
    let line =
        r#"{"password":"x","a":{"token":1},"b":"to 4111111111111111 now","c":4111111111111111}"#;
    assert_eq!(whole(&dropping, line), r#"{"a":{},"b":"to  now","c":null}"#);
    let hashing = with(Rules { actions: actions(Action::Hash), ..Rules::default() });
    let code = Pseudonyms::new(b"a key of the tests").of(b"hunter2");
    let line = r#"{"password":"hunter2","m":"password=hunter2"}"#;
    let wanted = format!(r#"{{"password":"{code}","m":"password={code}"}}"#);
    assert_eq!(whole(&hashing, line), wanted);
    assert_eq!(whole(&hashing, &wanted), wanted);
}

#[test]
fn patterns_of_the_user_are_added_and_built_in_ones_switched() {
    let mut named = patterns(&[
        ("customer", r"\bcust-[0-9]+\b"),
        ("start", "^begin [a-z]+"),
        ("part", "id=(?P<secret>[0-9]+)"),
    ]);
    named.insert("card".into(), Pattern::Switch(false));
    named.insert("email".into(), Pattern::Switch(true));
    let redactor = with(Rules { patterns: named, ..Rules::default() });
    for (text, wanted) in [
        ("a cust-17 b", "a [REDACTED] b"),
        ("begin abc", "[REDACTED]"),
        ("x begin abc", "x begin abc"),
        ("id=17 ok", "id=[REDACTED] ok"),
        ("4111111111111111", "4111111111111111"),
        ("to ada@example.org", "to [REDACTED]"),
    ] {
        assert_eq!(values(&redactor, &line_of(text)), line_of(wanted));
    }
}

#[test]
fn keys_that_were_added_are_seen_in_text_too() {
    let redactor = with(Rules { keys: vec!["tax_id".into()], ..Rules::default() });
    assert_eq!(
        values(&redactor, &line_of("tax_id=17 TAX_ID=18")),
        line_of("tax_id=[REDACTED] TAX_ID=[REDACTED]")
    );
}

#[test]
fn bad_patterns_are_refused_with_their_place() {
    for (text, why) in [
        ("a(b", "unclosed group, at character 2"),
        ("(?=x)", "look-around"),
        ("a*", "matches the empty text"),
        ("(?:[a-z]{1000}){1000}", "becomes too large"),
        (&"x".repeat(5000), "longer than 4096 bytes"),
        (&"(".repeat(100), "at character"),
    ] {
        let rules = Rules { patterns: patterns(&[("mine", text)]), ..Rules::default() };
        let error = rules.check().expect_err("a bad pattern").to_string();
        assert!(error.contains("'mine'") && error.contains(why), "{error}");
    }
    let unknown = BTreeMap::from([("nothing".into(), Pattern::Switch(true))]);
    assert!(Rules { patterns: unknown, ..Rules::default() }.check().is_err());
    let action = BTreeMap::from([("nothing".into(), Action::Drop)]);
    assert!(Rules { actions: action, ..Rules::default() }.check().is_err());
    assert!(Rules { text: "a\nb".into(), ..Rules::default() }.check().is_err());
}

#[test]
fn nothing_is_touched_when_it_is_off() {
    let off = with(Rules { enabled: false, ..Rules::default() });
    let line = line_of(&format!("password=x {AWS}"));
    assert_eq!(values(&off, &line), line);
    assert_eq!(whole(&off, r#"{"password":"x"}"#), r#"{"password":"x"}"#);
    assert!(!off.key("password"));
}

#[test]
fn a_batch_is_redacted_line_by_line() {
    let redactor = Redactor::default();
    let lines = ["clean", &format!("a {AWS}"), "clean", &format!("b\n{JWT} {AWS}"), "clean"];
    let mut batch = b"kept AKIAIOSFODNN7EXAMPLE\n".to_vec();
    let from = batch.len();
    for line in lines {
        batch.extend_from_slice(line_of(line).as_bytes());
        batch.push(b'\n');
    }
    let counts = redactor.batch(&mut batch, from);
    assert_eq!((counts.lines, counts.secrets), (2, 3));
    let wanted = ["clean", "a [REDACTED]", "clean", "b\n[REDACTED] [REDACTED]", "clean"]
        .map(|line| line_of(line) + "\n")
        .concat();
    assert_eq!(String::from_utf8_lossy(&batch[from..]), wanted);
    assert!(batch.starts_with(b"kept AKIAIOSFODNN7EXAMPLE\n"));
}

/// A text of a megabyte of what is hardest for some matcher.
#[test]
fn hostile_text_takes_no_longer_than_its_length_asks() {
    let redactor = with(Rules { patterns: patterns(&[("p", "(a+)+b")]), ..Rules::default() });
    for part in [
        "eyJ",
        "eyJhbGciOiJ.",
        "://a:b",
        "://a:b/",
        "password=",
        "password='",
        "password={",
        "1 ",
        "4111 ",
        "4-",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "Bearer ",
        "Basic AAAA",
        "sk-",
        "a",
        "\\",
        "\"",
        "{",
        "[",
        "[[{\"a\":",
        "Cookie: a;",
        "token: ",
        "AKIA",
        "_key_key=",
        "eyJ.",
        "eyJhbGciOi..",
        "ask-",
        "aghp_",
        "axoxb-",
        "aAIza",
        "ssk_live_",
        "AAGE-SECRET-KEY-1",
        "<token>",
        "--token ",
    ] {
        let line = line_of(&part.repeat((1 << 20) / part.len()));
        let began = Instant::now();
        let once = values(&redactor, &line);
        values(&redactor, &part.repeat((1 << 20) / part.len()));
        assert!(began.elapsed() < Duration::from_secs(5), "{part}: {:?}", began.elapsed());
        assert!(serde_json::from_str::<Value>(&once).is_ok(), "{part}");
    }
}

fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(AWS.to_owned()),
        Just(JWT.to_owned()),
        Just(PEM.to_owned()),
        Just("4111111111111111".to_owned()),
        Just("5500-0000-0000-0004".to_owned()),
        "ghp_[A-Za-z0-9]{36}",
        "xoxb-[0-9]{12}-[A-Za-z0-9]{24}",
        "AIza[0-9A-Za-z_-]{35}",
    ]
}

fn surroundings() -> impl Strategy<Value = String> {
    // Letters and digits beside a secret would make it a part of something else.
    "([ -/:-@\u{e9}\u{1f512}\n\t\\\\\"]|[a-z]{1,8} ){0,12}[ ,;:(\"'\n]"
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let object = prop::collection::vec((any::<String>(), inner.clone()), 0..6);
        let object = object.prop_map(|fields| Value::Object(fields.into_iter().collect()));
        prop_oneof![prop::collection::vec(inner, 0..6).prop_map(Value::from), object]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_planted_secret_remains(secret in secret(), before in surroundings(), after in surroundings()) {
        let after: String = after.chars().rev().collect();
        let text = format!("{before}{secret}{after}");
        let redactor = Redactor::default();
        let once = values(&redactor, &line_of(&text));
        let read: Value = serde_json::from_str(&once).expect("JSON on one line");
        let message = read["message"].as_str().expect("a message");
        prop_assert!(!message.contains(&secret), "{message}");
        prop_assert!(!once.contains('\n'));
        prop_assert_eq!(values(&redactor, &once), once.clone());
        let key = format!(r#"{{"a":{{{}:[{}]}}}}"#, Value::from(text.clone()), Value::from(text));
        prop_assert!(!whole(&redactor, &key).contains(&secret));
    }

    #[test]
    fn whatever_comes_is_json_and_comes_out_the_same_twice(value in json()) {
        let redactor = Redactor::default();
        let mut line = Vec::new();
        push_json(&mut line, &value);
        let line = String::from_utf8(line).expect("text");
        let once = whole(&redactor, &line);
        prop_assert!(serde_json::from_str::<Value>(&once).is_ok(), "{}", once);
        prop_assert_eq!(whole(&redactor, &once), once.clone());
    }

    #[test]
    fn clean_lines_are_not_touched(words in "[a-z ,.!\u{e9}]{0,300}", number in 0_u32..) {
        let line = line_of(&format!("{words} {number}"));
        prop_assert_eq!(values(&Redactor::default(), &line), line);
    }

    #[test]
    fn a_batch_and_its_lines_are_judged_alike(texts in prop::collection::vec(
        prop_oneof!["[ -~]{0,80}", secret(), surroundings()], 1..6,
    )) {
        let redactor = Redactor::default();
        let lines: Vec<String> = texts.iter().map(|text| line_of(text)).collect();
        let mut batch: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
        redactor.batch(&mut batch, 0);
        let single: String = lines.iter().map(|line| values(&redactor, line) + "\n").collect();
        prop_assert_eq!(String::from_utf8_lossy(&batch), single);
    }

    /// The cheap search never misses what the precise pass would find.
    #[test]
    fn what_the_precise_pass_finds_was_suspected(text in prop_oneof!["[ -~\n\u{80}-\u{9f}]{0,120}", "[a-zK_=:;, 0-9\"'\\\\-]{0,120}"], part in prop_oneof![
        Just("password=x"), Just("'token': 'x1'"), Just("4222222222222"), Just("a://b:c@d"), Just("")
    ]) {
        let redactor = Redactor::default();
        let line = line_of(&format!("{text}{part}{text}"));
        let mut out = Vec::new();
        let precise = super::Rewriter::run(&redactor, line.as_bytes(), false, &mut out);
        let suspected = redactor.values(line.as_bytes(), &mut Vec::new());
        prop_assert_eq!(precise, suspected);
    }
}

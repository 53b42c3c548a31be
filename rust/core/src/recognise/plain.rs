//! Plain text, and words for levels wherever they stand.

use super::Foreign;
use crate::level::{self, Level};

/// Words for levels besides our own: of syslog, log4j, glog, npm and others.
const WORDS: [(&str, Level); 21] = [
    ("SEVERE", level::ERROR),
    ("ERR", level::ERROR),
    ("EROR", level::ERROR),
    ("CRIT", level::CRITICAL),
    ("EMERG", level::CRITICAL),
    ("EMERGENCY", level::CRITICAL),
    ("ALERT", level::CRITICAL),
    ("PANIC", level::CRITICAL),
    ("FINE", level::DEBUG),
    ("FINER", level::TRACE),
    ("FINEST", level::TRACE),
    ("VERBOSE", level::TRACE),
    ("DBG", level::DEBUG),
    ("DEBG", level::DEBUG),
    ("INF", level::INFO),
    ("INFORMATION", level::INFO),
    ("INFORMATIONAL", level::INFO),
    ("WRN", level::WARNING),
    ("TRC", level::TRACE),
    ("SUCCESS", level::INFO),
    ("FAILURE", level::ERROR),
];

/// The level that a word means, in any case.
pub fn level_word(word: &str) -> Option<Level> {
    let word = word.trim();
    if word.is_empty() || word.len() > 16 || word.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    // SECURITY and AUDIT are kinds of record that a word in foreign text does not make.
    level::parse(word).filter(|level| *level < level::SECURITY).or_else(|| {
        WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, level)| *level)
    })
}

pub fn recognise(line: &str) -> Foreign {
    let (level, message) = leading_level(line);
    Foreign { level, message: message.to_owned(), ..Foreign::default() }
}

/// A level at the beginning, `ERROR: …`, `[error] …` or `ERROR …` in capitals, and the text after it.
pub fn leading_level(text: &str) -> (Option<Level>, &str) {
    let text = text.trim_start();
    if let Some((word, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        if let Some(level) = level_word(word) {
            return (Some(level), rest.trim_start_matches([':', ' ']));
        }
    }
    let end = text.find([' ', ':', '\t']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let marked = rest.starts_with(':') || word.bytes().all(|byte| byte.is_ascii_uppercase());
    match level_word(word).filter(|_| marked) {
        Some(level) => (Some(level), rest.trim_start_matches([':', ' ', '\t'])),
        None => (None, text),
    }
}

/// The last line of a Python traceback: `package.SomeError: message`.
pub fn is_exception(text: &str) -> bool {
    let name = text.split_once(':').map_or(text, |(name, _)| name).trim_end();
    !name.is_empty()
        && name.split('.').all(|part| {
            !part.is_empty()
                && !part.as_bytes()[0].is_ascii_digit()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
        && name.rsplit('.').next().is_some_and(|last| last.as_bytes()[0].is_ascii_uppercase())
}

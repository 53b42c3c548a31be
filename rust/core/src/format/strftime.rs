//! The directives of `strftime` (POSIX and C99, in the C locale), read once and written often.
//!
//! Not the C library's own: that takes a lock, and a child forked meanwhile would wait forever.

use std::io::Write;

use super::spec::{Result, SpecError};
use crate::clock::{civil, days};

const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Longer ones stand for what they are short for.
const SHORT: [(char, &str); 6] = [
    ('c', "%a %b %e %H:%M:%S %Y"),
    ('D', "%m/%d/%y"),
    ('F', "%Y-%m-%d"),
    ('R', "%H:%M"),
    ('T', "%H:%M:%S"),
    ('r', "%I:%M:%S %p"),
];
const FIELDS: &str = "aAbBhCdeGgHIjklmMpPsSuUVwWyYzN";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Literal(String),
    /// Digits of the fraction of a second.
    Fraction(u8),
    ZoneName,
    Field {
        letter: char,
        padded: bool,
    },
}

/// Reads a format. `%N`, ours alone, is RFC 3339's zone: `Z` or `+01:00`; `%:z` has always numbers.
pub fn parse(format: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let place = format.len() - rest.len() + at;
        push_literal(&mut pieces, &rest[..at]);
        rest = directive(&rest[at + 1..], &mut pieces).ok_or_else(|| {
            let found: String = format[place..].chars().take(2).collect();
            let message = format!(
                "has '{}', which is no directive: one such as %Y %m %d %H %M %S %f %z would be right",
                found.escape_debug()
            );
            SpecError::at(format, place, message)
        })?;
    }
    push_literal(&mut pieces, rest);
    if let Some(at) = format.find(char::is_control) {
        return Err(SpecError::at(format, at, "has a control character: text would be right"));
    }
    Ok(pieces)
}

/// Reads what follows a percent sign; what is left after it.
fn directive<'a>(rest: &'a str, pieces: &mut Vec<Piece>) -> Option<&'a str> {
    for (name, digits) in [("f", 6), ("3f", 3), ("6f", 6), ("9f", 9)] {
        if let Some(rest) = rest.strip_prefix(name) {
            pieces.push(Piece::Fraction(digits));
            return Some(rest);
        }
    }
    if let Some(rest) = rest.strip_prefix(":z") {
        pieces.push(Piece::Field { letter: ':', padded: true });
        return Some(rest);
    }
    let (padded, rest) = rest.strip_prefix('-').map_or((true, rest), |rest| (false, rest));
    let letter = rest.chars().next()?;
    let rest = &rest[letter.len_utf8()..];
    if letter == '%' {
        push_literal(pieces, "%");
    } else if letter == 'Z' {
        pieces.push(Piece::ZoneName);
    } else if FIELDS.contains(letter) {
        pieces.push(Piece::Field { letter, padded });
    } else {
        let long = match letter {
            'x' => 'D',
            'X' => 'T',
            other => other,
        };
        let (_, long) = SHORT.iter().find(|(short, _)| *short == long)?;
        pieces.extend(parse(long).ok()?);
    }
    Some(rest)
}

fn push_literal(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Literal(before)) => before.push_str(text),
        _ => pieces.push(Piece::Literal(text.to_owned())),
    }
}

/// A second, taken apart as `struct tm` has it.
#[derive(Debug)]
pub struct Parts {
    seconds: u64,
    /// East of UTC; nothing for UTC itself.
    offset: Option<i64>,
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// From 0, Sunday.
    weekday: i64,
    /// From 0.
    yearday: i64,
}

impl Parts {
    pub fn new(seconds: u64, offset: Option<i64>) -> Self {
        let local = seconds.saturating_add_signed(offset.unwrap_or_default());
        let (year, month, day) = civil(local / 86_400);
        let (year, month, day) = (year as i64, month as i64, day as i64);
        let number = |value: u64| (value % 86_400) as i64;
        Self {
            seconds,
            offset,
            year,
            month,
            day,
            hour: number(local) / 3600,
            minute: number(local) / 60 % 60,
            second: number(local) % 60,
            weekday: ((local / 86_400 + 4) % 7) as i64,
            yearday: (local / 86_400) as i64 - days(year, 1, 1),
        }
    }

    /// Appends one field. Numbers are padded as `strftime` does, or not at all.
    pub fn push(&self, letter: char, padded: bool, out: &mut Vec<u8>) {
        let twelve = (self.hour + 11) % 12 + 1;
        let (number, width, fill) = match letter {
            'C' => (self.year / 100, 2, '0'),
            'd' => (self.day, 2, '0'),
            'e' => (self.day, 2, ' '),
            'G' => (self.iso_week().0, 4, '0'),
            'g' => (self.iso_week().0 % 100, 2, '0'),
            'H' => (self.hour, 2, '0'),
            'I' => (twelve, 2, '0'),
            'j' => (self.yearday + 1, 3, '0'),
            'k' => (self.hour, 2, ' '),
            'l' => (twelve, 2, ' '),
            'm' => (self.month, 2, '0'),
            'M' => (self.minute, 2, '0'),
            's' => (self.seconds as i64, 1, '0'),
            'S' => (self.second, 2, '0'),
            'u' => ((self.weekday + 6) % 7 + 1, 1, '0'),
            'U' => ((self.yearday + 7 - self.weekday) / 7, 2, '0'),
            'V' => (self.iso_week().1, 2, '0'),
            'w' => (self.weekday, 1, '0'),
            'W' => ((self.yearday + 7 - (self.weekday + 6) % 7) / 7, 2, '0'),
            'y' => (self.year % 100, 2, '0'),
            'Y' => (self.year, 4, '0'),
            _ => return self.push_text(letter, out),
        };
        let width = if padded { width } else { 1 };
        // A vector takes everything.
        let _ = match fill {
            ' ' => write!(out, "{number:width$}"),
            _ => write!(out, "{number:0width$}"),
        };
    }

    fn push_text(&self, letter: char, out: &mut Vec<u8>) {
        let (day, month) = (DAYS[self.weekday as usize], MONTHS[self.month as usize - 1]);
        let text = match letter {
            'a' => &day[..3],
            'A' => day,
            'b' | 'h' => &month[..3],
            'B' => month,
            'p' if self.hour < 12 => "AM",
            'p' => "PM",
            'P' if self.hour < 12 => "am",
            'P' => "pm",
            'N' if self.offset.is_none() => "Z",
            zone => {
                let colon = if zone == 'z' { "" } else { ":" };
                let minutes = self.offset.unwrap_or_default() / 60;
                let sign = if minutes < 0 { '-' } else { '+' };
                let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
                let _ = write!(out, "{sign}{hours:02}{colon}{rest:02}");
                return;
            }
        };
        out.extend_from_slice(text.as_bytes());
    }

    /// Year and week of ISO 8601: weeks begin on Monday, the first has the year's first Thursday.
    fn iso_week(&self) -> (i64, i64) {
        let thursday = self.yearday + 3 - (self.weekday + 6) % 7;
        let length = |year: i64| days(year + 1, 1, 1) - days(year, 1, 1);
        if thursday < 0 {
            return (self.year - 1, (thursday + length(self.year - 1)) / 7 + 1);
        }
        if thursday >= length(self.year) {
            return (self.year + 1, (thursday - length(self.year)) / 7 + 1);
        }
        (self.year, thursday / 7 + 1)
    }
}

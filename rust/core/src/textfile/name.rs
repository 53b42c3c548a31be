//! What rotated files are called.

use crate::clock::{civil, days};

const TIME_BYTES: usize = "2026-11-21_01-18-00".len();
const DATE_BYTES: usize = "2026-11-21".len();
const DAY_S: i64 = 86_400;

/// The place of a rotated file among its kind: rising, and never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Wall-clock seconds of its first record, as precise as the names are; 0 when they have none.
    pub time: i64,
    /// Counts files of the same time, from 1.
    pub number: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Time,
    Date,
    Number,
}

/// A pattern such as `{stem}.{time}{suffix}`, made for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    pieces: Vec<Piece>,
    /// After which piece a number is put when two files would have one name.
    numbered_after: Option<usize>,
}

impl Naming {
    /// # Errors
    /// Says what of the pattern cannot be used, where, and what would be right.
    pub fn parse(pattern: &str, file_name: &str) -> Result<Self, String> {
        let dot = file_name.rfind('.').filter(|at| *at > 0).unwrap_or(file_name.len());
        let (stem, suffix) = file_name.split_at(dot);
        let mut pieces = Vec::new();
        let mut rest = pattern;
        while let Some(begin) = rest.find(['{', '}']) {
            push_text(&mut pieces, &rest[..begin]);
            let at = pattern.len() - rest.len() + begin;
            let end = rest[begin..].find('}').filter(|end| *end > 0);
            let Some(end) = end else {
                return Err(format!("a name in braces instead of the brace at {at}"));
            };
            match &rest[begin + 1..begin + end] {
                "name" => push_text(&mut pieces, file_name),
                "stem" => push_text(&mut pieces, stem),
                "suffix" => push_text(&mut pieces, suffix),
                "time" => pieces.push(Piece::Time),
                "date" => pieces.push(Piece::Date),
                "n" => pieces.push(Piece::Number),
                word => {
                    let known = "{name}, {stem}, {suffix}, {time}, {date} or {n}";
                    return Err(format!("{known} instead of {{{word}}} at {at}"));
                }
            }
            rest = &rest[begin + end + 1..];
        }
        push_text(&mut pieces, rest);
        Self::of(pieces)
    }

    fn of(pieces: Vec<Piece>) -> Result<Self, String> {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            _ => None,
        };
        if pieces.iter().filter_map(text).any(|text| text.contains(['/', '\0'])) {
            return Err("a name without '/': rotated files stay where the file is".into());
        }
        let numbers = pieces.iter().filter(|piece| **piece == Piece::Number).count();
        let last_time = pieces.iter().rposition(|piece| matches!(piece, Piece::Time | Piece::Date));
        if numbers > 1 || (numbers == 0 && last_time.is_none()) {
            return Err("a pattern with {time}, {date} or one {n}".into());
        }
        let counted = pieces.iter().position(|piece| *piece == Piece::Number).or(last_time);
        let after = counted.and_then(|at| pieces.get(at + 1));
        let digit = |piece: &Piece| {
            text(piece).is_none_or(|text| text.starts_with(|sign: char| sign.is_ascii_digit()))
        };
        if after.is_some_and(digit) {
            return Err("a sign that is no digit after the number".into());
        }
        let numbered_after = if numbers == 0 { last_time } else { None };
        Ok(Self { pieces, numbered_after })
    }

    /// The key of the next file, whatever the clock says: names never go back.
    #[must_use]
    pub fn next(&self, newest: Option<Key>, wall_s: i64) -> Key {
        let time = if self.pieces.contains(&Piece::Time) {
            wall_s
        } else if self.pieces.contains(&Piece::Date) {
            wall_s - wall_s.rem_euclid(DAY_S)
        } else {
            0
        };
        match newest {
            Some(newest) if newest.time >= time => {
                Key { time: newest.time, number: newest.number + 1 }
            }
            _ => Key { time, number: 1 },
        }
    }

    #[must_use]
    pub fn name(&self, key: Key) -> String {
        let mut name = String::new();
        for (at, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Time => name.push_str(&time_text(key.time)),
                Piece::Date => name.push_str(&time_text(key.time)[..DATE_BYTES]),
                Piece::Number => name.push_str(&key.number.to_string()),
            }
            if self.numbered_after == Some(at) && key.number > 1 {
                name.push_str(&format!("_{}", key.number));
            }
        }
        name
    }

    /// The key of a name that `name` has made; `None` for every other.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<Key> {
        [false, true]
            .into_iter()
            .filter_map(|suffixed| self.read(name, suffixed))
            .find(|key| self.name(*key) == name)
    }

    fn read(&self, name: &str, suffixed: bool) -> Option<Key> {
        let mut key = Key { time: 0, number: 1 };
        let mut rest = name;
        for (at, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Piece::Time => {
                    key.time = read_time(rest.get(..TIME_BYTES)?)?;
                    rest = &rest[TIME_BYTES..];
                }
                Piece::Date => {
                    let midnight = read_time(&format!("{}_00-00-00", rest.get(..DATE_BYTES)?))?;
                    // `{time}`, where there is one, tells more.
                    key.time = key.time.max(midnight);
                    rest = &rest[DATE_BYTES..];
                }
                Piece::Number => (key.number, rest) = number(rest)?,
            }
            if self.numbered_after == Some(at) && suffixed {
                (key.number, rest) = number(rest.strip_prefix('_')?)?;
            }
        }
        rest.is_empty().then_some(key)
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Text(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

fn time_text(wall_s: i64) -> String {
    let wall_s = wall_s.max(0) as u64;
    let (year, month, day) = civil(wall_s / 86_400);
    let (hour, minute, second) = (wall_s / 3600 % 24, wall_s / 60 % 60, wall_s % 60);
    format!("{year:04}-{month:02}-{day:02}_{hour:02}-{minute:02}-{second:02}")
}

fn read_time(text: &str) -> Option<i64> {
    let part = |from: usize, to: usize| -> Option<i64> { text.get(from..to)?.parse().ok() };
    let day = days(part(0, 4)?, part(5, 7)?, part(8, 10)?);
    Some(day * DAY_S + part(11, 13)? * 3600 + part(14, 16)? * 60 + part(17, 19)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Key, Naming};

    fn naming(pattern: &str) -> Naming {
        Naming::parse(pattern, "app.log").unwrap()
    }

    #[test]
    fn names_look_as_the_pattern_says() {
        let key = Key { time: 1_795_223_880, number: 1 };
        let second = Key { number: 2, ..key };
        for (pattern, first, next) in [
            (
                "{stem}.{time}{suffix}",
                "app.2026-11-21_01-18-00.log",
                "app.2026-11-21_01-18-00_2.log",
            ),
            ("{name}.{n}", "app.log.1", "app.log.2"),
            ("{stem}.{n}{suffix}", "app.1.log", "app.2.log"),
            ("old-{date}.txt", "old-2026-11-21.txt", "old-2026-11-21_2.txt"),
        ] {
            assert_eq!(naming(pattern).name(key), first);
            assert_eq!(naming(pattern).name(second), next);
        }
    }

    #[test]
    fn a_file_without_a_suffix_has_a_stem_only() {
        let key = Key { time: 0, number: 7 };
        let name = |file| Naming::parse("{stem}-{n}{suffix}", file).unwrap().name(key);
        assert_eq!(name("messages"), "messages-7");
        assert_eq!(name(".hidden"), ".hidden-7");
    }

    #[test]
    fn other_names_have_no_key() {
        let naming = naming("{stem}.{time}{suffix}");
        for name in [
            "app.log",
            "app.errors.log",
            "app.2026-11-21_01-18-00.log.gz",
            "app.2026-11-21_01-18-00_1.log",
            "app.2026-11-21_01-18-00_02.log",
            "app.2026-13-21_01-18-00.log",
            "app.2026-11-21_01-61-00.log",
            "xapp.2026-11-21_01-18-00.log",
            "app.2026-11-21_01-18-0é.log",
            "",
        ] {
            assert_eq!(naming.key(name), None, "{name}");
        }
    }

    #[test]
    fn a_bad_pattern_is_told_with_its_place() {
        let wrong = |pattern| Naming::parse(pattern, "app.log").unwrap_err();
        assert!(wrong("{stem}.{when}").contains("{when} at 7"));
        assert!(wrong("{stem}.{time").contains("brace at 7"));
        assert!(wrong("a}{n}").contains("brace at 1"));
        assert!(wrong("{stem}{suffix}").contains("{time}"));
        assert!(wrong("{n}{n}").contains("one {n}"));
        assert!(wrong("{n}0").contains("no digit"));
        assert!(wrong("{n}{time}").contains("no digit"));
        assert!(wrong("old/{n}").contains("'/'"));
    }

    #[test]
    fn a_clock_that_is_set_back_takes_no_name_twice() {
        let naming = naming("{stem}.{time}{suffix}");
        let first = naming.next(None, 1000);
        let second = naming.next(Some(first), 400);
        let third = naming.next(Some(second), 1001);
        assert_eq!((first.number, second.number, third.number), (1, 2, 1));
        assert!(first < second && second < third);
    }

    proptest! {
        #[test]
        fn every_name_reads_back(
            pattern in prop::sample::select(vec![
                "{stem}.{time}{suffix}", "{name}.{n}", "{date}_{n}.x", "{time}_5{suffix}", "{date}",
                "{n}.{time}", "{time}{date}", "{date}{time}.{n}",
            ]),
            wall_s in 0_i64..200_000_000_000,
            number in 1_u64..2000,
        ) {
            let naming = naming(pattern);
            let key = Key { number, ..naming.next(None, wall_s) };
            prop_assert_eq!(naming.key(&naming.name(key)), Some(key));
        }

        #[test]
        fn no_name_of_a_foreign_file_breaks_reading(name in "\\PC{0,40}") {
            let naming = naming("{stem}.{time}{suffix}");
            prop_assert!(naming.key(&name).is_none_or(|key| naming.name(key) == name));
        }
    }
}

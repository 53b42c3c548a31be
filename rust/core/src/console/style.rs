//! How records look: what to show, and the colours of levels.

use crate::format::{Formatter, Options, SpecError};
use crate::level::{is_protected, Level};

const RESET: &[u8] = b"\x1b[0m";
const DIM: &[u8] = b"\x1b[2m";

/// How to show records, and which.
#[derive(Debug)]
pub struct Style {
    pub formatter: Formatter,
    pub colour: bool,
    /// Source lines in tracebacks, read from the files they name.
    pub sources: bool,
    /// The lowest level shown; SECURITY and AUDIT are shown whatever it is.
    pub level: Level,
}

impl Style {
    /// Everything, in a format of `Formatter`; `text` is the usual one.
    ///
    /// # Errors
    /// As `Formatter::new`.
    pub fn new(format: &str, options: Options, sources: bool) -> Result<Self, SpecError> {
        let colour = options.colour;
        let formatter = Formatter::with_tracebacks(format, options, true)?;
        Ok(Self { formatter, colour, sources, level: 0 })
    }

    #[must_use]
    pub fn shows(&self, level: Level) -> bool {
        level >= self.level || is_protected(level)
    }
}

/// Puts colours around text, or does not.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    pub fn new(colour: bool) -> Self {
        Self { colour }
    }

    pub fn level(self, level: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let colour: &[u8] = match level {
            "TRACE" => b"\x1b[90m",
            "DEBUG" => b"\x1b[36m",
            "INFO" | "NOTICE" => b"\x1b[32m",
            "WARNING" => b"\x1b[33m",
            "ERROR" => b"\x1b[31m",
            "CRITICAL" => b"\x1b[35m",
            "SECURITY" => b"\x1b[37;41m",
            "AUDIT" => b"\x1b[37;44m",
            _ => b"",
        };
        self.around(colour, out, write);
    }

    pub fn key(self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        self.around(DIM, out, write);
    }

    fn around(self, colour: &[u8], out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.colour || colour.is_empty() {
            return write(out);
        }
        out.extend_from_slice(colour);
        write(out);
        out.extend_from_slice(RESET);
    }
}

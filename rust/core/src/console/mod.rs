//! Records as people read them in a terminal.

mod output;
mod style;
#[cfg(test)]
mod tests;

pub use output::ConsoleOutput;
pub(crate) use style::Paint;
pub use style::Style;

use crate::format::Batch;

/// Appends one canonical line as people read it, then a line feed, and below it the traceback of its
/// exception.
///
/// ```text
/// [2026-11-21 10:30:45] [INFO    ] auth: User authenticated  user_id=7 method=password
/// ```
///
/// A line that is no JSON object is shown as it is, except for what a terminal would obey.
pub fn render(
    line: &[u8],
    index: Option<u64>,
    style: &Style,
    batch: &mut Batch,
    out: &mut Vec<u8>,
) {
    style.formatter.push_shown(line, index, style.sources, batch, out);
}

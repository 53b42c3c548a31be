//! The canonical line as it is.

use super::json::push_quoted;
use crate::line::visible;

/// Appends the line; one that is no record, as the message of one, so that every line is JSON.
pub fn push(line: &[u8], is_broken: bool, out: &mut Vec<u8>) {
    if !is_broken {
        return out.extend_from_slice(line);
    }
    out.extend_from_slice(b"{\"message\":");
    push_quoted(&visible(line), out);
    out.push(b'}');
}

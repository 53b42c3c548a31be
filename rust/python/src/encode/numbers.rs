//! Integers of any size.

use pyo3::prelude::*;
use treering_core::line;

pub fn push_int(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) {
    if let Ok(number) = value.extract::<i64>() {
        return line::push_int(out, number);
    }
    // `str` refuses above `sys.get_int_max_str_digits()`, 4,300 digits unless changed.
    let digits = value.py().get_type::<pyo3::types::PyInt>().call_method1("__repr__", (value,));
    match digits.and_then(|digits| digits.extract::<String>()) {
        Ok(digits) => out.extend_from_slice(digits.as_bytes()),
        Err(_) => line::push_string(out, "<int too large>"),
    }
}

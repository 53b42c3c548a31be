//! JSON numbers.
#![allow(unsafe_code)]

/// Room for any `i64`.
pub const INT_BYTES: usize = 20;
/// Room for any float, and for the words that stand for what JSON has no number for.
pub const FLOAT_BYTES: usize = 32;

/// # Safety
/// `out` is good for `INT_BYTES`.
#[inline]
pub unsafe fn write_int(out: *mut u8, value: i64) -> *mut u8 {
    let mut buffer = itoa::Buffer::new();
    // SAFETY: promised by the caller.
    unsafe { super::write_bytes(out, buffer.format(value).as_bytes()) }
}

pub fn push_int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// # Safety
/// `out` is good for `FLOAT_BYTES`.
pub unsafe fn write_float(out: *mut u8, value: f64) -> *mut u8 {
    let (bytes, length) = float_text(value);
    // SAFETY: promised by the caller.
    unsafe { super::write_bytes(out, &bytes[..length]) }
}

pub fn push_float(out: &mut Vec<u8>, value: f64) {
    let (bytes, length) = float_text(value);
    out.extend_from_slice(&bytes[..length]);
}

/// A count as people read it: `1,204`.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

struct Text {
    bytes: [u8; FLOAT_BYTES],
    length: usize,
}

impl Text {
    fn push(&mut self, more: &[u8]) {
        self.bytes[self.length..self.length + more.len()].copy_from_slice(more);
        self.length += more.len();
    }

    fn zeros(&mut self, count: i32) {
        for _ in 0..count {
            self.push(b"0");
        }
    }
}

/// The shortest digits that read back as `value`, laid out as Python's `repr` does.
fn float_text(value: f64) -> ([u8; FLOAT_BYTES], usize) {
    let mut text = Text { bytes: [0; FLOAT_BYTES], length: 0 };
    if !value.is_finite() {
        text.push(if value.is_nan() {
            b"\"NaN\""
        } else if value > 0.0 {
            b"\"Infinity\""
        } else {
            b"\"-Infinity\""
        });
        return (text.bytes, text.length);
    }
    if value.is_sign_negative() {
        text.push(b"-");
    }
    let mut buffer = zmij::Buffer::new();
    let (digits, count, exponent) = decompose(buffer.format_finite(value.abs()));
    let digits = &digits[..count];
    let count = count as i32;
    if !(-4..16).contains(&exponent) {
        text.push(&digits[..1]);
        if count > 1 {
            text.push(b".");
            text.push(&digits[1..]);
        }
        text.push(if exponent < 0 { b"e-" } else { b"e+" });
        if exponent.abs() < 10 {
            text.push(b"0");
        }
        text.push(itoa::Buffer::new().format(exponent.abs()).as_bytes());
    } else if exponent < 0 {
        text.push(b"0.");
        text.zeros(-exponent - 1);
        text.push(digits);
    } else if count > exponent + 1 {
        let (whole, part) = digits.split_at(usize::try_from(exponent + 1).unwrap_or(1));
        text.push(whole);
        text.push(b".");
        text.push(part);
    } else {
        text.push(digits);
        text.zeros(exponent + 1 - count);
        text.push(b".0");
    }
    (text.bytes, text.length)
}

/// Significant digits, their number, and the power of ten of the first, from any decimal notation.
fn decompose(text: &str) -> ([u8; 24], usize, i32) {
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, power.parse().unwrap_or(0)),
        None => (text, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (mut digits, mut count, mut leading) = ([b'0'; 24], 0, 0);
    for byte in whole.bytes().chain(part.bytes()) {
        if count == 0 && byte == b'0' {
            leading += 1;
        } else if count < digits.len() {
            digits[count] = byte;
            count += 1;
        }
    }
    while count > 1 && digits[count - 1] == b'0' {
        count -= 1;
    }
    if count == 0 {
        return (digits, 1, 0);
    }
    let exponent = whole.len() as i32 - 1 - leading + power;
    (digits, count, exponent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn written(value: f64) -> String {
        let mut out = Vec::new();
        super::push_float(&mut out, value);
        String::from_utf8(out).expect("ascii")
    }

    #[test]
    fn floats_read_as_pythons_repr() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (123_456.789, "123456.789"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (-2.5, "-2.5"),
            (1e22, "1e+22"),
        ] {
            assert_eq!(written(value), text);
        }
        assert_eq!(written(f64::NAN), "\"NaN\"");
        assert_eq!(written(f64::NEG_INFINITY), "\"-Infinity\"");
    }

    proptest! {
        #[test]
        fn every_float_reads_back(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            prop_assert_eq!(written(value).parse::<f64>().expect("number").to_bits(), value.to_bits());
        }
    }
}

//! Which keys name something secret.
//!
//! A key is read as its words: split at whatever is neither letter nor digit and at camel case, in lower
//! case, without a number at the end. `X-Api-Key`, `apiKey` and `API_KEY_2` are one key.

use std::collections::HashSet;

/// Secret wherever they stand in a key, unless it ends in one of `HARMLESS`.
const ANYWHERE: [&str; 10] = [
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "secrets",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "cookies",
];

/// Secret within any word: `dbpassword`.
const WITHIN: [&str; 3] = ["password", "passwd", "passphrase"];

/// Secret as the last words of a key, so that `token_count` and `max_tokens` are not.
const LAST: [&str; 48] = [
    "accesskey",
    "accesstokens",
    "accountkey",
    "apikey",
    "apikeys",
    "apitokens",
    "authkey",
    "authpass",
    "authtokens",
    "backupcode",
    "backupcodes",
    "bearer",
    "bearertokens",
    "cardnumber",
    "cardpin",
    "ccnumber",
    "connectionstring",
    "creditcard",
    "cvc",
    "cvv",
    "dbpass",
    "encryptionkey",
    "jwt",
    "masterkey",
    "mfacode",
    "mysqlpass",
    "otp",
    "otpcode",
    "pgpass",
    "pincode",
    "privatekey",
    "privkey",
    "recoverycode",
    "recoverycodes",
    "redispass",
    "refreshtokens",
    "rootpass",
    "secretkey",
    "sessionkey",
    "sessiontokens",
    "signingkey",
    "smtppass",
    "socialsecuritynumber",
    "sshkey",
    "ssn",
    "token",
    "totp",
    "userpin",
];

/// Secret at the end of a single word: `accesstoken`.
const ENDINGS: [&str; 5] = ["token", "secret", "apikey", "cookie", "userpass"];

/// What such a last word says about a secret is none.
const HARMLESS: [&str; 43] = [
    "age",
    "at",
    "attempt",
    "attempts",
    "bytes",
    "changed",
    "count",
    "counts",
    "created",
    "date",
    "days",
    "enabled",
    "errors",
    "expiration",
    "expire",
    "expired",
    "expires",
    "expiry",
    "failures",
    "kind",
    "len",
    "length",
    "limit",
    "max",
    "min",
    "ms",
    "name",
    "names",
    "path",
    "policy",
    "remaining",
    "required",
    "rotated",
    "seconds",
    "size",
    "status",
    "strength",
    "time",
    "ttl",
    "type",
    "updated",
    "used",
    "version",
];

/// Last words that say nothing: `token_value` and `api_key_v2` are `token` and `api_key`.
const EMPTY: [&str; 2] = ["v", "value"];

/// The words of one key: joined in lower case, and where each begins.
struct Words {
    joined: String,
    begins: Vec<usize>,
}

impl Words {
    fn of(key: &str) -> Self {
        let key = key.trim_end_matches(|c: char| c.is_ascii_digit() || !is_word(c));
        let mut words = Self { joined: String::with_capacity(key.len()), begins: Vec::new() };
        let mut before = ' ';
        let mut rest = key.chars().peekable();
        while let Some(char) = rest.next() {
            if is_word(char) {
                let hump = char.is_ascii_uppercase()
                    && (!before.is_ascii_uppercase()
                        || rest.peek().is_some_and(char::is_ascii_lowercase));
                if !is_word(before) || hump {
                    words.begins.push(words.joined.len());
                }
                words.joined.push(char.to_ascii_lowercase());
            }
            before = char;
        }
        words
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let ends = self.begins.iter().skip(1).copied().chain([self.joined.len()]);
        self.begins.iter().zip(ends).map(|(begin, end)| &self.joined[*begin..end])
    }

    /// Without a last word that says nothing.
    fn meaning(mut self) -> Self {
        let last = self.begins.last().copied().unwrap_or_default();
        if last > 0 && EMPTY.contains(&&self.joined[last..]) {
            self.begins.pop();
            self.joined.truncate(last);
        }
        self
    }

    /// The last word, the last two as one, and so on.
    fn tails(&self) -> impl Iterator<Item = &str> {
        self.begins.iter().rev().map(|begin| &self.joined[*begin..])
    }
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || !char.is_ascii()
}

/// The built-in words and what was added to them.
#[derive(Debug, Default)]
pub struct Keys {
    added: HashSet<String>,
    allowed: HashSet<String>,
}

impl Keys {
    pub fn new(added: &[String], allowed: &[String]) -> Self {
        let joined = |keys: &[String]| keys.iter().map(|key| Words::of(key).joined).collect();
        Self { added: joined(added), allowed: joined(allowed) }
    }

    /// Does a field of this name hold a secret?
    pub fn is_sensitive(&self, key: &str) -> bool {
        let words = Words::of(key);
        if words.joined.is_empty() || self.allowed.contains(&words.joined) {
            return false;
        }
        if words.tails().any(|tail| self.added.contains(tail)) {
            return true;
        }
        let words = words.meaning();
        if words.tails().any(|tail| LAST.binary_search(&tail).is_ok()) {
            return true;
        }
        let last = words.iter().last().unwrap_or_default();
        if HARMLESS.binary_search(&last).is_ok() {
            return false;
        }
        WITHIN.iter().any(|word| words.joined.contains(word)) && last != "passwordless"
            || words.iter().any(|word| ANYWHERE.contains(&word))
            || ENDINGS.iter().any(|ending| last.ends_with(ending))
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, HARMLESS, LAST};

    #[test]
    fn the_tables_are_sorted() {
        assert!(LAST.is_sorted() && HARMLESS.is_sorted());
    }

    #[test]
    fn secret_keys_are_known_in_every_spelling() {
        let keys = Keys::default();
        for key in [
            "password",
            "PASSWORD",
            "userPassword",
            "db_passwd",
            "dbpassword2",
            "pwd",
            "passphrase",
            "client-secret",
            "clientSecret",
            "secrets",
            "aws.secret.access.key",
            "AWS_SECRET_ACCESS_KEY",
            "credentials",
            "Authorization",
            "proxy-authorization",
            "Set-Cookie",
            "cookies",
            "token",
            "accessToken",
            "refresh_token",
            "csrftoken",
            "X-Api-Key",
            "apikey",
            "APIKey",
            "api_key_2",
            "private_key",
            "signing key",
            "connectionString",
            "otp",
            "cvv2",
            "ssn",
            "jwt",
            "user_pin",
            "password_hash",
            "privkey",
            "session_key",
            "tokenValue",
            "api_key_value",
            "api_key_v2",
        ] {
            assert!(keys.is_sensitive(key), "{key}");
        }
    }

    #[test]
    fn harmless_keys_stay() {
        let keys = Keys::default();
        for key in [
            "",
            "_",
            "7",
            "user",
            "session_id",
            "tokens",
            "max_tokens",
            "token_count",
            "token_type",
            "tokenizer",
            "password_length",
            "password_expires_at",
            "passwordChangedAt",
            "secret_name",
            "cookie_count",
            "author",
            "authorized",
            "secretary",
            "pin",
            "key",
            "primary_key",
            "monkey",
            "passed",
            "compass",
            "keyboard",
            "method",
            "value",
            "v2",
            "token_count_value",
        ] {
            assert!(!keys.is_sensitive(key), "{key}");
        }
    }

    #[test]
    fn keys_can_be_added_and_allowed() {
        let keys = Keys::new(&["tax_id".into()], &["csrf-token".into()]);
        for key in ["tax_id", "taxId", "customer.taxid", "password"] {
            assert!(keys.is_sensitive(key), "{key}");
        }
        for key in ["tax_id_type", "csrfToken", "CSRF_TOKEN"] {
            assert!(!keys.is_sensitive(key), "{key}");
        }
    }
}

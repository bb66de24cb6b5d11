//! Keeping secrets out of logs, errors and reports.
//!
//! Two kinds of text are replaced: values that are known to be secret, and what looks like the
//! secret part of a kubeconfig or a private key, wherever it comes from. The text is looked at line
//! by line, with one bit of memory: whether it is within a private key.

/// Stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Shorter values are not replaced: they are no secrets, and stand in too many innocent words.
const SHORTEST: usize = 6;
/// The same for values that only their variable's name makes look secret.
const SHORTEST_PRESUMED: usize = 8;

/// Behind `Bearer`, letters of at least this number are no word of a sentence.
const LONGEST_WORD: usize = 24;

/// Keys of YAML, JSON and TOML, in small letters, whose values nobody may see.
const SECRET_KEYS: [&str; 20] = [
    "client-key-data",
    "client-certificate-data",
    "id-token",
    "refresh-token",
    "access-token",
    "token",
    "password",
    "passwd",
    "client-secret",
    "secret-access-key",
    // As other formats write them.
    "auth",
    "identitytoken",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "clientsecret",
    "api-key",
    "apikey",
    "secretkey",
    "secretaccesskey",
];

/// Words in the names of environment variables whose values are secret.
const SECRET_WORDS: [&str; 6] =
    ["TOKEN", "PASSWORD", "PASSWD", "SECRET", "CREDENTIAL", "B64ENCODED"];

/// Takes secrets out of texts.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Vec<String>,
    presumed: Vec<String>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} values)", self.values().count())
    }
}

impl Redactor {
    /// Knows the secrets that the environment of this process holds, judged by the variables'
    /// names.
    pub fn from_environment() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let secret = variables.filter(|(name, value)| {
            is_secret_variable(name) && value.len() >= SHORTEST_PRESUMED && !value.starts_with('/')
        });
        Self { known: Vec::new(), presumed: secret.map(|(_, value)| value).collect() }
    }

    /// Learns a secret.
    pub fn add(&mut self, value: impl Into<String>) {
        let value = value.into();
        let lines = value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST);
        self.known.extend(lines.map(str::to_owned));
        // Longer ones first: one may be part of another.
        self.known.sort_by_key(|value| std::cmp::Reverse(value.len()));
        self.known.dedup();
    }

    fn values(&self) -> impl Iterator<Item = &str> {
        self.known.iter().chain(&self.presumed).map(String::as_str)
    }

    /// Returns whether a text holds a secret that was learnt. What a variable's name makes look
    /// like one is not enough here.
    pub fn holds_secret(&self, text: &str) -> bool {
        self.known.iter().any(|value| text.contains(value.as_str()))
    }

    /// A text of several lines without its secrets.
    pub fn text(&self, text: &str) -> String {
        let mut lines = Lines::new(self);
        let clean: Vec<_> = text.lines().filter_map(|line| lines.clean(line)).collect();
        clean.join("\n")
    }
}

/// Cleans the lines of one stream, one after the other.
pub struct Lines<'a> {
    redactor: &'a Redactor,
    within_key: bool,
}

impl<'a> Lines<'a> {
    /// Begins outside of any private key.
    pub fn new(redactor: &'a Redactor) -> Self {
        Self { redactor, within_key: false }
    }

    /// The line without secrets; nothing for the lines of a private key but the first.
    pub fn clean(&mut self, line: &str) -> Option<String> {
        if self.within_key {
            self.within_key = !line.contains("-----END ");
            return None;
        }
        if let Some(begin) = line.find("-----BEGIN ").filter(|_| line.contains("PRIVATE KEY")) {
            self.within_key = !line.contains("-----END ");
            let before = line.get(..begin).unwrap_or_default();
            return Some(format!("{}{REDACTED}", self.hide(before)));
        }
        Some(self.hide(line))
    }

    /// Known values go first: what only looks like a secret may end in the middle of one.
    fn hide(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for value in self.redactor.values() {
            if line.contains(value) {
                line = line.replace(value, REDACTED);
            }
        }
        hide_logins(&hide_schemes(&hide_keyed(&line)))
    }
}

/// Hides what stands behind `token:`, `"password":` and the like, up to the end of the value.
fn hide_keyed(line: &str) -> String {
    let mut line = line.to_owned();
    for key in SECRET_KEYS {
        let mut from = 0;
        while let Some((start, end)) = value_of(&line, key, from) {
            line.replace_range(start..end, REDACTED);
            from = start + REDACTED.len();
        }
    }
    line
}

/// Schemes of the header `Authorization`, which stand before credentials (RFC 6750, RFC 7617).
const SCHEMES: [&str; 2] = ["bearer ", "basic "];

/// Hides the credentials behind `Bearer` and `Basic`; words of a sentence are none.
fn hide_schemes(line: &str) -> String {
    let mut line = line.to_owned();
    for scheme in SCHEMES {
        let mut from = 0;
        while let Some(found) =
            line.get(from..).and_then(|rest| rest.to_ascii_lowercase().find(scheme))
        {
            let start = from + found + scheme.len();
            let is_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
            let end = line[start..].find(|c| !is_token(c)).map_or(line.len(), |end| start + end);
            let value = line[start..end].trim_end_matches('.');
            let is_word = value.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
            from = start;
            if !value.is_empty() && (!is_word || value.len() >= LONGEST_WORD) {
                line.replace_range(start..end, REDACTED);
                from = start + REDACTED.len();
            }
        }
    }
    line
}

/// Hides the login in URLs: what stands between `://` and `@`.
fn hide_logins(line: &str) -> String {
    let mut line = line.to_owned();
    let mut from = 0;
    while let Some(found) = line.get(from..).and_then(|rest| rest.find("://")) {
        let start = from + found + "://".len();
        let ends_authority = |c: char| c.is_whitespace() || "/?#\"'<>".contains(c);
        let end = line[start..].find(ends_authority).map_or(line.len(), |end| start + end);
        from = start;
        if let Some(at) = line[start..end].rfind('@') {
            line.replace_range(start..start + at, REDACTED);
            from = start + REDACTED.len();
        }
    }
    line
}

/// Returns where the value of a key stands in a line of YAML, JSON or TOML, behind `from`.
fn value_of(line: &str, key: &str, from: usize) -> Option<(usize, usize)> {
    let mut from = from;
    loop {
        let found = from + line.get(from..)?.to_ascii_lowercase().find(key)?;
        let behind = found + key.len();
        from = behind;
        let is_word = line[..found].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        // TOML has a blank before `=`.
        let rest = line[behind..].trim_start_matches(['"', '\'']).trim_start();
        let Some(value) = rest.strip_prefix([':', '=']).filter(|_| !is_word) else {
            continue;
        };
        let value = value.trim_start();
        let start = line.len() - value.len();
        let (start, end) = match value.chars().next() {
            None => continue,
            Some(quote @ ('"' | '\'')) => {
                (start + 1, value[1..].find(quote).map_or(line.len(), |end| start + 1 + end))
            }
            Some(_) => {
                let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | '}' | ']');
                (start, value.find(is_end).map_or(line.len(), |end| start + end))
            }
        };
        if end > start && !line[start..].starts_with(REDACTED) {
            return Some((start, end));
        }
    }
}

/// Returns whether a variable of this name presumably holds a secret.
pub fn is_secret_variable(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.ends_with("_KEY") || SECRET_WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubeconfigs_lose_their_secrets_and_nothing_else() {
        let text = "users:\n- name: admin\n  user:\n    client-certificate-data: QUJD\n    \
                    client-key-data: S0VZ\n    token: abc.def\n    tokenFile: /x\n";
        let clean = Redactor::default().text(text);
        for secret in ["QUJD", "S0VZ", "abc.def"] {
            assert!(!clean.contains(secret), "{clean}");
        }
        assert!(clean.contains("name: admin") && clean.contains("tokenFile: /x"), "{clean}");
    }

    #[test]
    fn a_secret_vanishes_before_a_private_key_and_behind_what_looks_like_one() {
        let mut redactor = Redactor::default();
        redactor.add("hunter2 CANARY");
        let key =
            "hunter2 CANARY -----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----";
        assert_eq!(redactor.text(key), "[redacted] [redacted]");
        assert_eq!(
            redactor.text("token: hunter2 CANARY"),
            "token: [redacted]",
            "not only its first word"
        );
    }

    #[test]
    fn credentials_of_headers_and_urls_vanish() {
        let clean = |line: &str| Redactor::default().text(line);
        for (line, expected) in [
            ("Authorization: Bearer eyJ0.abc-1_x sent", "Authorization: Bearer [redacted] sent"),
            ("authorization: basic dXNlcjpwdw==", "authorization: basic [redacted]"),
            (
                "a bearer token was refused, Bearer tokens.",
                "a bearer token was refused, Bearer tokens.",
            ),
            (
                "get https://u:pw@h.example.org/a?b=c@d",
                "get https://[redacted]@h.example.org/a?b=c@d",
            ),
            ("https://h/a https://x@y:1/", "https://h/a https://[redacted]@y:1/"),
            ("https://h.example.org/", "https://h.example.org/"),
        ] {
            assert_eq!(clean(line), expected);
        }
    }

    #[test]
    fn json_too() {
        let clean = Redactor::default()
            .text(r#"{"a": "b", "token": "x,y}z", "password":'p w', "client-key-data":"S0VZ"}"#);
        assert_eq!(
            clean,
            r#"{"a": "b", "token": "[redacted]", "password":'[redacted]', "client-key-data":"[redacted]"}"#
        );
    }

    #[test]
    fn keys_of_toml_and_in_camel_case_too() {
        let clean = |line: &str| Redactor::default().text(line);
        for (line, expected) in [
            (r#"  password = "hunter2""#, r#"  password = "[redacted]""#),
            (r#"auth = "bWU6cHc=""#, r#"auth = "[redacted]""#),
            ("clientSecret: hunter2", "clientSecret: [redacted]"),
            (r#""apiKey":"hunter2""#, r#""apiKey":"[redacted]""#),
            ("secretKey: hunter2", "secretKey: [redacted]"),
            (r#""identitytoken": "hunter2""#, r#""identitytoken": "[redacted]""#),
            ("author: me", "author: me"),
        ] {
            assert_eq!(clean(line), expected);
        }
    }

    #[test]
    fn private_keys_vanish_over_several_lines() {
        let text = "key: -----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE \
                    KEY-----\nnext\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
        let clean = Redactor::default().text(text);
        assert_eq!(
            clean,
            "key: [redacted]\nnext\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
        );
    }

    #[test]
    fn known_values_are_found_anywhere() {
        let mut redactor = Redactor::default();
        redactor.add("hunter2hunter2");
        redactor.add("hunter2hunter2-and-more");
        redactor.add("ab");
        assert_eq!(redactor.text("xhunter2hunter2-and-morex ab"), "x[redacted]x ab");
        assert!(redactor.holds_secret("--token=hunter2hunter2"));
        assert!(!format!("{redactor:?}").contains("hunter2"));
    }

    #[test]
    fn variables_with_secrets_are_known_by_their_names() {
        for name in ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "OS_PASSWORD", "AZURE_CLIENT_SECRET"]
        {
            assert!(is_secret_variable(name), "{name}");
        }
        for name in ["PATH", "HOME", "KEYBOARD", "DOCKER_HOST"] {
            assert!(!is_secret_variable(name), "{name}");
        }
    }

    #[test]
    fn a_line_without_values_is_left_alone() {
        for line in ["token:", "password: ", "no secrets, token of thanks", "a token: "] {
            assert_eq!(hide_keyed(line), line);
        }
    }
}

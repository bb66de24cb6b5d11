//! Target of fuzzing: the file beside a plugin.

use crate::Sidecar;

/// Reads the description of a library.
pub fn sidecars(text: &[u8]) {
    let file = fuzz::written("libfoo.plugin.json", text);
    let _ = Sidecar::read(&file.with_file_name("libfoo.so"));
}

#[cfg(test)]
mod tests {
    use fuzz::pass;

    #[test]
    fn fuzz_sidecars() {
        pass("sidecars", super::sidecars);
    }
}

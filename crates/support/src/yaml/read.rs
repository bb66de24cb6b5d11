//! Reading.

use serde_json::Value;

/// A document, or what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct YamlError(String);

/// The one document of a text that holds secrets; null if it is empty.
///
/// Read as [`documents`] reads, but a key that is there twice is an error, and no error shows the
/// text.
///
/// # Errors
/// When the text is not valid YAML, or has several documents.
pub fn secret_document(text: &str) -> Result<Value, YamlError> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        with_snippet: false,
    };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| YamlError(error.to_string()))?;
    let mut documents = documents.into_iter().filter(|document| !document.is_null());
    match (documents.next(), documents.next()) {
        (_, Some(_)) => Err(YamlError("it has several documents".to_owned())),
        (first, None) => Ok(first.unwrap_or_default()),
    }
}

/// The first document of a text, null if it is empty, read as [`documents`] reads. What follows
/// counts for nobody, and no error shows the text.
///
/// # Errors
/// When the text is not valid YAML.
pub fn first_document(text: &str) -> Result<Value, YamlError> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| YamlError(error.to_string()))?;
    Ok(documents.into_iter().next().unwrap_or_default())
}

/// All documents of a stream; empty ones are left out.
///
/// As for kubectl, `0644` is octal, `yes` is a boolean, and merge keys are expanded. No error shows
/// the text: backups, values and manifests hold Secrets.
///
/// # Errors
/// When the text is not valid YAML.
pub fn documents(text: &str) -> Result<Vec<Value>, YamlError> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_documents: 100_000,
            max_nodes: 20_000_000,
            max_events: 60_000_000,
            max_total_scalar_bytes: 1 << 30,
        },
    };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| YamlError(error.to_string()))?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_are_read_as_kubectl_reads_them() {
        let read =
            |text: &str| documents(&format!("a: {text}")).expect("valid").remove(0)["a"].clone();
        assert_eq!(read("on"), json!(true));
        assert_eq!(read("0644"), json!(420));
        assert_eq!(read("1_000"), json!(1000));
        assert_eq!(read("2026-11-22"), json!("2026-11-22"));
        assert_eq!(read("\"on\""), json!("on"));
    }

    #[test]
    fn errors_of_secret_documents_show_nothing_of_them() {
        assert_eq!(secret_document("").expect("valid"), Value::Null);
        assert_eq!(secret_document("---\na: 1\n").expect("valid"), json!({"a": 1}));
        for broken in [
            "token: hunter2\n  a: [hunter2\n",
            "a: 'hunter2",
            "hunter2: a\n\thunter2: b\n",
            "a: hunter2\n---\nb: hunter2\n",
            "a: *hunter2\n",
            "user: {token: hunter2, token: hunter2}\n",
        ] {
            let error = secret_document(broken).expect_err(broken).to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn errors_of_documents_say_where_and_not_what() {
        for broken in
            ["data: {password: SHVudGVy\n  a: [SHVudGVy\n", "a: 'SHVudGVy", "a: *SHVudGVy\n"]
        {
            let error = documents(broken).expect_err(broken).to_string();
            assert!(!error.contains("SHVudGVy") && error.contains("line "), "{error}");
        }
    }

    #[test]
    fn streams_may_have_empty_documents() {
        assert_eq!(
            documents("---\na: 1\n---\n---\nb: 2\n").expect("valid"),
            [json!({"a": 1}), json!({"b": 2})]
        );
        assert_eq!(documents("").expect("valid"), Vec::<Value>::new());
        assert!(documents("a: [").is_err());
    }
}

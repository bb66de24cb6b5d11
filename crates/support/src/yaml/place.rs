//! Finding the line of a value that was read without its place.
//!
//! A text is read into a [`Value`], and the types of the program are made of that: a second reader
//! of YAML for each type would be a large part of the program. So an error has no line, and the
//! line is looked for when there is an error.

use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess,
    SeqAccess, Visitor,
};
use serde_json::{Map, Value};

/// The place of a value in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: u64,
    /// Counted from 1.
    pub column: u64,
}

/// A step on the way from a document to a value in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A field of an object.
    Key(String),
    /// An item of a list.
    Index(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Returns the way to the first value that `T` does not take. All fields of `T` have defaults, so
/// that a document with one value in it can be read too.
pub fn wrong_in<T: DeserializeOwned>(document: &Value) -> Option<Vec<Step>> {
    let mut way = Vec::new();
    find_wrong::<T>(document, &mut way).then_some(way)
}

fn find_wrong<T: DeserializeOwned>(value: &Value, way: &mut Vec<Step>) -> bool {
    let empty = match value {
        Value::Object(_) => Value::Object(Map::new()),
        Value::Array(_) => Value::Array(Vec::new()),
        scalar => scalar.clone(),
    };
    if serde_json::from_value::<T>(with_one(way, empty)).is_err() {
        return true;
    }
    let mut is_wrong = |step: Step, inner: &Value| {
        way.push(step);
        let is_found = find_wrong::<T>(inner, way);
        if !is_found {
            way.pop();
        }
        is_found
    };
    match value {
        Value::Object(map) => map.iter().any(|(key, at)| is_wrong(Step::Key(key.clone()), at)),
        Value::Array(items) => {
            items.iter().enumerate().any(|(index, at)| is_wrong(Step::Index(index), at))
        }
        _ => false,
    }
}

/// A document that has nothing but one value; each list on the way has one item.
fn with_one(way: &[Step], value: Value) -> Value {
    way.iter().rev().fold(value, |inner, step| match step {
        Step::Key(key) => Value::Object(Map::from_iter([(key.clone(), inner)])),
        Step::Index(_) => Value::Array(vec![inner]),
    })
}

/// Returns the place of a value in the first document of a text.
pub fn place_of(text: &str, way: &[Step]) -> Option<Place> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    let found = serde_saphyr::with_deserializer_from_str_with_options(text, options, |document| {
        Follow(way).deserialize(document)
    });
    let at = found.err()?.location()?;
    Some(Place { line: at.line(), column: at.column() })
}

/// Goes to a value, and ends with an error there: errors have places.
struct Follow<'a>(&'a [Step]);

impl<'de> DeserializeSeed<'de> for Follow<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0.first() {
            Some(Step::Key(_)) => deserializer.deserialize_map(self),
            Some(Step::Index(_)) => deserializer.deserialize_seq(self),
            // Whatever is there, it is an error.
            None => deserializer.deserialize_bool(self),
        }
    }
}

impl<'de> Visitor<'de> for Follow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the way to a value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Err(E::custom("here"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), rest)) = self.0.split_first() else {
            return Err(A::Error::custom("an object where a list was"));
        };
        while let Some(key) = map.next_key::<String>()? {
            match key == *wanted {
                true => map.next_value_seed(Follow(rest))?,
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Index(wanted), rest)) = self.0.split_first() else {
            return Err(A::Error::custom("a list where an object was"));
        };
        for _ in 0..*wanted {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Follow(rest)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::yaml::first_document;

    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Document {
        name: Option<String>,
        items: Option<Vec<Item>>,
    }

    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Item {
        count: Option<u8>,
        labels: Option<BTreeMap<String, String>>,
    }

    fn place(text: &str) -> Option<Place> {
        let value = first_document(text).expect("valid");
        place_of(text, &wrong_in::<Document>(&value)?)
    }

    #[test]
    fn a_value_of_another_type_has_a_line() {
        for (text, line, column) in [
            ("name: [a]\n", 1, 7),
            ("name: {a: b}\n", 1, 7),
            ("name: 12\n", 1, 7),
            ("name: true\n", 1, 7),
            ("items: a\n", 1, 8),
            ("name: a\nitems:\n- count: 1\n- labels: {a: b}\n  count: many\n", 5, 10),
            ("items:\n- count: 1\n- count: 256\n", 3, 10),
            ("items: [{labels: {a: b, c: [d]}}]\n", 1, 28),
            // The value of another place stands where it is used.
            ("x: &x {count: a}\nitems: [{<<: *x}]\n", 2, 14),
            ("{\"name\": \"a\", \"items\": [{\"count\": \"b\"}]}\n---\nb: c\n", 1, 35),
        ] {
            assert_eq!(place(text), Some(Place { line, column }), "{text}");
        }
        assert_eq!(place("name: a\nother: [1]\n"), None, "it can be read");
    }

    #[test]
    fn a_way_that_is_not_there_has_no_place() {
        let key = |name: &str| Step::Key(name.to_owned());
        for way in [&[key("b")][..], &[key("a"), Step::Index(3)]] {
            assert_eq!(place_of("a: [1, 2]\n", way), None, "{way:?}");
        }
    }
}

//! A kubeconfig file as client-go decodes it (`k8s.io/client-go/tools/clientcmd/api/v1`): unknown
//! fields are passed over, null is the same as absent, and a value of another type is an error,
//! also in a part that nobody uses.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;
use support::yaml;

/// Go takes a text whose last bits say nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Places of objects. serde takes a list of the fields in place of one, client-go does not.
const OBJECTS: [&str; 16] = [
    "",
    "preferences",
    "preferences/extensions/*",
    "extensions/*",
    "clusters/*",
    "clusters/*/cluster",
    "clusters/*/cluster/extensions/*",
    "users/*",
    "users/*/user",
    "users/*/user/exec",
    "users/*/user/exec/env/*",
    "users/*/user/auth-provider",
    "users/*/user/extensions/*",
    "contexts/*",
    "contexts/*/context",
    "contexts/*/context/extensions/*",
];

/// A file. None of these types can be shown: tokens and passwords are plain text in them.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Document {
    #[serde(deserialize_with = "nullable")]
    kind: String,
    #[serde(rename = "apiVersion", deserialize_with = "nullable")]
    api_version: String,
    #[serde(deserialize_with = "nullable", rename = "preferences")]
    _preferences: Preferences,
    #[serde(deserialize_with = "nullable", rename = "extensions")]
    _extensions: Vec<Option<NamedExtension>>,
    #[serde(deserialize_with = "nullable")]
    clusters: Vec<Option<NamedCluster>>,
    #[serde(deserialize_with = "nullable")]
    users: Vec<Option<NamedUser>>,
    #[serde(deserialize_with = "nullable")]
    contexts: Vec<Option<NamedContext>>,
    #[serde(rename = "current-context", deserialize_with = "nullable")]
    pub(super) current_context: String,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Preferences {
    #[serde(deserialize_with = "nullable", rename = "colors")]
    _colors: bool,
    #[serde(deserialize_with = "nullable", rename = "extensions")]
    _extensions: Vec<Option<NamedExtension>>,
}

#[derive(Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct NamedExtension {
    #[serde(deserialize_with = "nullable")]
    pub(super) name: String,
    pub(super) extension: Value,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct NamedCluster {
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    cluster: Cluster,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct NamedUser {
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    user: User,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct NamedContext {
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    context: Context,
}

/// An API server and how to know it.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Cluster {
    #[serde(deserialize_with = "nullable")]
    pub(super) server: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) tls_server_name: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) insecure_skip_tls_verify: bool,
    #[serde(deserialize_with = "nullable")]
    pub(super) certificate_authority: String,
    #[serde(deserialize_with = "bytes")]
    pub(super) certificate_authority_data: Vec<u8>,
    #[serde(deserialize_with = "nullable")]
    pub(super) proxy_url: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) disable_compression: bool,
    #[serde(deserialize_with = "nullable")]
    pub(super) extensions: Vec<Option<NamedExtension>>,
}

/// Somebody and the means to prove it.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct User {
    #[serde(deserialize_with = "nullable")]
    pub(super) client_certificate: String,
    #[serde(deserialize_with = "bytes")]
    pub(super) client_certificate_data: Vec<u8>,
    #[serde(deserialize_with = "nullable")]
    pub(super) client_key: String,
    #[serde(deserialize_with = "bytes")]
    pub(super) client_key_data: Vec<u8>,
    #[serde(deserialize_with = "nullable")]
    pub(super) token: String,
    #[serde(rename = "tokenFile", deserialize_with = "nullable")]
    pub(super) token_file: String,
    #[serde(rename = "as", deserialize_with = "nullable")]
    pub(super) impersonate: String,
    #[serde(rename = "as-uid", deserialize_with = "nullable")]
    pub(super) impersonate_uid: String,
    #[serde(rename = "as-groups", deserialize_with = "texts")]
    pub(super) impersonate_groups: Vec<String>,
    #[serde(rename = "as-user-extra", deserialize_with = "nullable")]
    pub(super) impersonate_extra: BTreeMap<String, Option<Vec<Option<String>>>>,
    #[serde(deserialize_with = "nullable")]
    pub(super) username: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) password: String,
    pub(super) auth_provider: Option<AuthProvider>,
    pub(super) exec: Option<Exec>,
    #[serde(deserialize_with = "nullable", rename = "extensions")]
    _extensions: Vec<Option<NamedExtension>>,
}

/// A way to get a token that kubectl itself has.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct AuthProvider {
    #[serde(deserialize_with = "nullable")]
    pub(super) name: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) config: BTreeMap<String, Option<String>>,
}

/// A credential plugin.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Exec {
    #[serde(deserialize_with = "nullable")]
    pub(super) command: String,
    #[serde(deserialize_with = "texts")]
    pub(super) args: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) env: Vec<Option<ExecVariable>>,
    #[serde(deserialize_with = "nullable")]
    pub(super) api_version: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) install_hint: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) provide_cluster_info: bool,
    #[serde(deserialize_with = "nullable")]
    pub(super) interactive_mode: String,
}

#[derive(Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct ExecVariable {
    #[serde(deserialize_with = "nullable")]
    pub(super) name: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) value: String,
}

/// A cluster, a user and a namespace.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Context {
    #[serde(deserialize_with = "nullable")]
    pub(super) cluster: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) user: String,
    #[serde(deserialize_with = "nullable")]
    pub(super) namespace: String,
    #[serde(deserialize_with = "nullable", rename = "extensions")]
    _extensions: Vec<Option<NamedExtension>>,
}

impl Document {
    /// Reads the first document of a text. No error shows the text.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let value = yaml::first_document(text).map_err(|error| error.to_string())?;
        if value.is_null() {
            return Ok(Self::default());
        }
        if let Some(place) = OBJECTS.iter().find(|place| is_list_at(&value, place)) {
            return Err(match *place {
                "" => "it is a list instead of an object".to_owned(),
                place => format!("its {place} is a list instead of an object"),
            });
        }
        let document = serde_json::from_value::<Self>(value.clone());
        let document = document.map_err(|_| of_wrong_type(text, &value))?;
        // The group in front of the slash may be empty, and so may the version behind it.
        let version = document.api_version.as_str();
        let version = version.strip_prefix('/').unwrap_or(version);
        for (name, value, known) in
            [("kind", document.kind.as_str(), "Config"), ("apiVersion", version, "v1")]
        {
            if !value.is_empty() && value != known {
                return Err(format!("its {name} is {value:?} instead of {known}"));
            }
        }
        Ok(document)
    }

    pub(super) fn clusters(&mut self) -> Result<BTreeMap<String, Cluster>, String> {
        let named = std::mem::take(&mut self.clusters).into_iter().map(Option::unwrap_or_default);
        by_name("clusters", named.map(|named| (named.name, named.cluster)))
    }

    pub(super) fn users(&mut self) -> Result<BTreeMap<String, User>, String> {
        let named = std::mem::take(&mut self.users).into_iter().map(Option::unwrap_or_default);
        by_name("users", named.map(|named| (named.name, named.user)))
    }

    pub(super) fn contexts(&mut self) -> Result<BTreeMap<String, Context>, String> {
        let named = std::mem::take(&mut self.contexts).into_iter().map(Option::unwrap_or_default);
        by_name("contexts", named.map(|named| (named.name, named.context)))
    }
}

/// Returns whether a list stands at a place; `*` is any item of a list.
fn is_list_at(value: &Value, place: &str) -> bool {
    let (first, rest) = place.split_once('/').unwrap_or((place, ""));
    match first {
        "" => value.is_array(),
        "*" => value.as_array().is_some_and(|items| items.iter().any(|one| is_list_at(one, rest))),
        name => value.get(name).is_some_and(|field| is_list_at(field, rest)),
    }
}

fn by_name<T>(
    list: &str,
    named: impl Iterator<Item = (String, T)>,
) -> Result<BTreeMap<String, T>, String> {
    let mut found = BTreeMap::new();
    for (name, item) in named {
        if found.insert(name.clone(), item).is_some() {
            return Err(format!("two of its {list} have the name {name:?}"));
        }
    }
    Ok(found)
}

/// Says where a value is of another type.
fn of_wrong_type(text: &str, value: &Value) -> String {
    let problem = "a field has another type than in a kubeconfig";
    let place = yaml::wrong_in::<Document>(value).and_then(|way| yaml::place_of(text, &way));
    match place {
        Some(place) => format!("{problem}: {place}"),
        None => format!("{problem}, for example a number that is not in quotes"),
    }
}

fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let texts: Vec<Option<String>> = nullable(deserializer)?;
    Ok(texts.into_iter().map(Option::unwrap_or_default).collect())
}

/// Base64 with line breaks, as `base64` prints it, or a list of numbers, which Go takes for bytes
/// too.
fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text: String = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(Vec::new()),
        Value::String(text) => text,
        Value::Array(numbers) => {
            let bytes = numbers.iter().map(byte).collect::<Option<_>>();
            return bytes.ok_or_else(|| D::Error::custom("no list of bytes"));
        }
        _ => return Err(D::Error::custom("no text")),
    };
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    BASE64.decode(text).map_err(|_| D::Error::custom("no base64"))
}

/// Null leaves a byte as it is, which is zero.
fn byte(number: &Value) -> Option<u8> {
    if number.is_null() { Some(0) } else { number.as_u64()?.try_into().ok() }
}

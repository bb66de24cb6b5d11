//! The control planes of the tests.

use sandbox::PartsOptions;

/// Etcd and API servers on one thread each, which collect garbage when their heap has grown to five
/// times its size: several of them share few cores here, and threads that wait for each other cost
/// a fifth of their time, the collector a quarter. Memory there is.
const ENVIRONMENT: [(&str, &str); 2] = [("GOMAXPROCS", "1"), ("GOGC", "400")];

/// The folder in which users have their parts, too.
#[must_use]
pub fn options() -> PartsOptions {
    let environment = ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
    PartsOptions { environment: environment.to_vec(), ..PartsOptions::default() }
}

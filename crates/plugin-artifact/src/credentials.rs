//! The credentials of the user for a registry, where `docker login` keeps them.

use docker_credential::DockerCredential;
use oci_client::secrets::RegistryAuth;

/// The credentials for a host; nobody in particular if there are none. A helper program of docker
/// may be run, so this can take a moment.
pub(crate) fn of_host(host: &str) -> RegistryAuth {
    match docker_credential::get_credential(host) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            RegistryAuth::Basic(user, password)
        }
        // A token with which one asks for tokens, which the client does not do.
        Ok(DockerCredential::IdentityToken(token)) => RegistryAuth::Bearer(token),
        Err(_) => RegistryAuth::Anonymous,
    }
}

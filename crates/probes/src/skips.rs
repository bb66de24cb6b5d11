//! `--skip-probes`: which probes are left out.

use kubectl_pivot_plugin_api::values::nearest;

/// Probes that the user leaves out, as they have named them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skips(Vec<String>);

/// A name that no plugin and no probe has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no plugin or probe is named `{name}`")]
pub struct UnknownProbe {
    /// The name.
    pub name: String,
    /// Names that resemble it, or all of them.
    pub similar: Vec<String>,
}

impl UnknownProbe {
    /// Returns what the user can do.
    pub fn hint(&self) -> String {
        match self.similar.as_slice() {
            [] => "no plugin of an infrastructure provider of these clusters declares a probe; \
                   leave out --skip-probes"
                .to_owned(),
            similar => format!("did you mean {}?", similar.join(", ")),
        }
    }
}

impl Skips {
    /// From names: `PLUGIN`, `PLUGIN/PROBE` or a probe's name alone.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let trimmed = names.into_iter().map(|name| name.trim().to_owned());
        Self(trimmed.filter(|name| !name.is_empty()).collect())
    }

    /// The name by which the user leaves a probe out, if they do.
    pub fn find(&self, plugin: &str, probe: &str) -> Option<&str> {
        let id = format!("{plugin}/{probe}");
        self.0.iter().map(String::as_str).find(|name| [plugin, probe, &id].contains(name))
    }

    /// Checks that every name means something; `known` are all plugins with all their probes.
    ///
    /// # Errors
    /// The first name that means nothing.
    pub fn check<'a>(
        &self,
        known: impl IntoIterator<Item = (&'a str, Vec<&'a str>)>,
    ) -> Result<(), UnknownProbe> {
        let mut names: Vec<String> = Vec::new();
        for (plugin, probes) in known {
            names.push(plugin.to_owned());
            names.extend(probes.iter().map(|probe| format!("{plugin}/{probe}")));
            names.extend(probes.into_iter().map(str::to_owned));
        }
        let Some(name) = self.0.iter().find(|name| !names.contains(name)) else { return Ok(()) };
        let mut similar = nearest(name, names.iter().map(String::as_str));
        if similar.is_empty() {
            similar = names.iter().filter(|n| n.contains('/')).map(String::as_str).collect();
        }
        let mut similar: Vec<_> = similar.into_iter().map(str::to_owned).collect();
        similar.dedup();
        Err(UnknownProbe { name: name.clone(), similar })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skips(names: &[&str]) -> Skips {
        Skips::new(names.iter().map(|name| (*name).to_owned()))
    }

    #[test]
    fn plugins_probes_and_both_are_names() {
        for name in ["docker", "docker/controller", "controller"] {
            assert_eq!(skips(&[name]).find("docker", "controller"), Some(name));
        }
        assert_eq!(skips(&["controller"]).find("docker", "other"), None);
        assert_eq!(skips(&["aws/controller", " "]).find("docker", "controller"), None);
    }

    #[test]
    fn unknown_names_are_reported_with_their_neighbours() {
        let known = || [("docker", vec!["controller-target", "provisioned"])];
        assert_eq!(skips(&["docker", "provisioned"]).check(known()), Ok(()));
        let error = skips(&["provisoned"]).check(known()).expect_err("a typing error");
        assert_eq!(error.similar, ["provisioned"]);
        let error = skips(&["x"]).check(known()).expect_err("nothing like it");
        assert_eq!(error.similar, ["docker/controller-target", "docker/provisioned"]);
        let error = skips(&["x"]).check([]).expect_err("nothing at all");
        assert!(error.hint().contains("declares a probe"));
    }
}

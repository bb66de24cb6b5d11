//! Variables that users can set.

use kubectl_pivot_plugin_api::{Variable, VariableType};

pub(crate) const IMAGE: &str = "image";

pub(crate) fn all() -> Vec<Variable> {
    vec![
        Variable::new(IMAGE, VariableType::String, "Image of the agents")
            .with_default("kindest/kindnetd:v20260820-69b56db7"),
    ]
}

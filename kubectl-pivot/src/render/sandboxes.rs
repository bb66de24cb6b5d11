//! Sandboxes for people.

use sandbox::SandboxInfo;
use support::visible::shell_word;

use super::Screen;
use super::kubectl_table::fitted;
use crate::called;

/// Returns the list of sandboxes.
pub fn sandboxes(list: &[SandboxInfo], screen: &Screen) -> String {
    if list.is_empty() {
        return format!("No sandboxes found\n\nStart one: {} sandbox up\n", called::words());
    }
    let mut lines =
        vec![["NAME", "STATE", "CLUSTER", "SERVER", "KUBECONFIG"].map(str::to_owned).to_vec()];
    for sandbox in list {
        let first = vec![sandbox.name.clone(), sandbox.state.to_string()];
        if sandbox.clusters.is_empty() {
            lines.push(first.clone());
        }
        for (index, cluster) in sandbox.clusters.iter().enumerate() {
            let mut line = if index == 0 { first.clone() } else { vec![String::new(); 2] };
            line.extend([
                cluster.name.clone(),
                cluster.url.clone(),
                cluster.kubeconfig.display().to_string(),
            ]);
            lines.push(line);
        }
    }
    fitted(&lines, screen)
}

/// A sandbox that has just been started, with what to type next.
pub fn sandbox_up(sandbox: &SandboxInfo, screen: &Screen) -> String {
    let mut text = sandboxes(std::slice::from_ref(sandbox), screen);
    if let [source, target, ..] = sandbox.clusters.as_slice() {
        text.push_str(&format!(
            "\nMove everything from the first cluster to the second:\n  kubectl pivot move \
             --kubeconfig {} \\\n    --to-kubeconfig {} --all-namespaces\n",
            shell_word(&source.kubeconfig.display().to_string()),
            shell_word(&target.kubeconfig.display().to_string())
        ));
    }
    text.push_str(&format!("\nEnd it: kubectl pivot sandbox down --name {}\n", sandbox.name));
    called::in_text(&text)
}

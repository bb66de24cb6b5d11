//! Talking to one cluster: kubeconfig, client, retry policy, errors.
//!
//! Knows nothing of moves, phases or terminals.

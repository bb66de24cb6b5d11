//! Local control planes: real etcd and kube-apiserver processes on loopback, for `demo`,
//! rehearsals and tests.

pub mod fleet;

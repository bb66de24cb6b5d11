//go:build tools

// Package parts pins the kube-apiserver that the sandbox runs.
package parts

import _ "k8s.io/kubernetes/cmd/kube-apiserver"

//go:build tools

// Package modules pins kubectl, through which the tests call the program as users do.
package modules

import _ "k8s.io/kubernetes/cmd/kubectl"

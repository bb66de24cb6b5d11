//go:build tools

// Package modules pins krew, the plugin manager of kubectl, with which the tests install the program.
package modules

import (
	_ "sigs.k8s.io/krew/cmd/krew"
	_ "sigs.k8s.io/krew/cmd/validate-krew-manifest"
)

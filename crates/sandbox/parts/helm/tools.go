//go:build tools

// Package parts pins helm.
package parts

import _ "helm.sh/helm/v3/cmd/helm"

//go:build tools

// Package parts pins a registry for charts.
package parts

import _ "github.com/distribution/distribution/v3/cmd/registry"

//go:build tools

// Package modules pins actionlint, with which the tests check the workflows.
package modules

import (
	_ "github.com/rhysd/actionlint/cmd/actionlint"
)

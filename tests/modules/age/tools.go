//go:build tools

// Package modules pins the reference implementation of age, which reads what the program has encrypted.
package modules

import (
	_ "filippo.io/age/cmd/age"
	_ "filippo.io/age/cmd/age-keygen"
)

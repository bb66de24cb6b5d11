package main

import (
	"bytes"
	"os"
	"testing"
)

func TestTheTypesAreThoseOfTheSchemas(t *testing.T) {
	wanted, err := Types("../../../schemas")
	if err != nil {
		t.Fatal(err)
	}
	found, err := os.ReadFile("../../types.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(found, wanted) {
		t.Error("types.go is not current: run `go generate` in plugin-api/go")
	}
}

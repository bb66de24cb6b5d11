package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Schema is as much of JSON Schema as the messages use.
type Schema struct {
	Title                string             `json:"title"`
	Description          string             `json:"description"`
	Type                 any                `json:"type"`
	Ref                  string             `json:"$ref"`
	Const                any                `json:"const"`
	Default              any                `json:"default"`
	Properties           map[string]*Schema `json:"properties"`
	Required             []string           `json:"required"`
	Items                *Schema            `json:"items"`
	OneOf                []*Schema          `json:"oneOf"`
	AnyOf                []*Schema          `json:"anyOf"`
	AdditionalProperties *Schema            `json:"additionalProperties"`
	Defs                 map[string]*Schema `json:"$defs"`
}

// UnmarshalJSON reads `true`, which is a schema that allows anything, too.
func (s *Schema) UnmarshalJSON(text []byte) error {
	if string(text) == "true" {
		return nil
	}
	type plain Schema
	return json.Unmarshal(text, (*plain)(s))
}

// load reads all schemas of a folder, and those defined in them, by name.
func load(folder string) (map[string]*Schema, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("there are no schemas in %s: %w", folder, err)
	}
	schemas := map[string]*Schema{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		schema := &Schema{}
		if err := json.Unmarshal(text, schema); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		schemas[schema.Title] = schema
		for name, definition := range schema.Defs {
			schemas[name] = definition
		}
	}
	return schemas, nil
}

func (s *Schema) isWords() bool { return len(s.OneOf) > 0 && s.OneOf[0].Const != nil }

func (s *Schema) isObject() bool {
	return s.Properties != nil || len(s.OneOf) > 0 && !s.isWords()
}

func (s *Schema) refName() string { return s.Ref[strings.LastIndex(s.Ref, "/")+1:] }

// goType returns the type of a field.
func (s *Schema) goType(schemas map[string]*Schema) string {
	kind, nullable := s.kind()
	switch {
	case s.Ref != "":
		return s.named(schemas)
	case len(s.AnyOf) > 0:
		name := s.AnyOf[0].named(schemas)
		if schemas[s.AnyOf[0].refName()].isObject() {
			return "*" + name
		}
		return name
	case kind == "string":
		return "string"
	case kind == "boolean":
		return "bool"
	case kind == "integer" && (nullable || s.Default != nil && s.Default != 0.0):
		// 0 is not what is meant by leaving it out.
		return "*int64"
	case kind == "integer":
		return "int64"
	case kind == "array":
		return "[]" + s.Items.goType(schemas)
	case kind == "object":
		return "map[string]" + s.AdditionalProperties.goType(schemas)
	}
	return "any"
}

// named returns the type that a reference means: versions are plain strings.
func (s *Schema) named(schemas map[string]*Schema) string {
	meant := schemas[s.refName()]
	if meant.isWords() || meant.isObject() {
		return s.refName()
	}
	return meant.goType(schemas)
}

// kind returns the type of a schema, and whether it can be null.
func (s *Schema) kind() (string, bool) {
	switch kind := s.Type.(type) {
	case string:
		return kind, false
	case []any:
		return kind[0].(string), true
	}
	return "", false
}

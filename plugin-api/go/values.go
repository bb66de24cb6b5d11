package pivotplugin

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Values has a value for each variable that was given or has a default, checked against its declaration.
type Values map[string]any

// Text returns the text of a variable, or "".
func (v Values) Text(name string) string { text, _ := v[name].(string); return text }

// Integer returns the whole number of a variable, or 0.
func (v Values) Integer(name string) int64 { number, _ := v[name].(int64); return number }

// Boolean returns the truth of a variable, or false.
func (v Values) Boolean(name string) bool { truth, _ := v[name].(bool); return truth }

// List returns the list of a variable, or none.
func (v Values) List(name string) []string { list, _ := v[name].([]string); return list }

// Resolve checks given values against their declarations and fills in the defaults. A string is
// accepted for every type, since that is what a command line gives.
func Resolve(declared []Variable, given map[string]any) (Values, error) {
	for name := range given {
		if !slices.ContainsFunc(declared, func(v Variable) bool { return v.Name == name }) {
			return nil, unknown(declared, name)
		}
	}
	values := Values{}
	for _, variable := range declared {
		value := given[variable.Name]
		if value == nil {
			value = variable.Default
		}
		if value == nil && variable.Required {
			return nil, missing(variable)
		}
		if value == nil {
			continue
		}
		checked, err := check(variable, value)
		if err != nil {
			return nil, err
		}
		values[variable.Name] = checked
	}
	return values, nil
}

func unknown(declared []Variable, name string) error {
	hint := "this plugin has no variables"
	if len(declared) > 0 {
		names := make([]string, len(declared))
		for at, variable := range declared {
			names[at] = variable.Name
		}
		hint = "its variables are " + strings.Join(names, ", ")
	}
	message := fmt.Sprintf("there is no variable `%s`", name)
	return &PluginError{Code: ErrorCodeUnknownVariable, Message: message, Variable: name, Hint: hint}
}

func missing(variable Variable) error {
	return &PluginError{
		Code:     ErrorCodeMissingVariable,
		Message:  fmt.Sprintf("variable `%s` is required: %s", variable.Name, variable.Description),
		Variable: variable.Name,
		Hint:     whereToSet(variable),
	}
}

func check(variable Variable, value any) (any, error) {
	checked, why := convert(variable.Type, value)
	if why != "" {
		return nil, Invalid(variable, why)
	}
	if number, ok := checked.(int64); ok && variable.Minimum != nil && number < *variable.Minimum {
		return nil, Invalid(variable, fmt.Sprintf("%d is less than %d", number, *variable.Minimum))
	}
	if len(variable.Choices) == 0 {
		return checked, nil
	}
	if text, ok := checked.(string); !ok || !slices.Contains(variable.Choices, text) {
		shown := "a secret value"
		if !variable.Secret {
			shown = fmt.Sprintf("%#v", value)
		}
		choices := strings.Join(variable.Choices, ", ")
		return nil, Invalid(variable, fmt.Sprintf("expected one of %s, got %s", choices, shown))
	}
	return checked, nil
}

func convert(kind VariableType, value any) (any, string) {
	expected := "expected a value of type " + string(kind)
	switch kind {
	case VariableTypeString, "":
		if text, ok := text(value); ok {
			return text, ""
		}
		return nil, "expected a value of type string"
	case VariableTypeInteger:
		if number, err := strconv.ParseInt(strings.TrimSpace(scalar(value)), 10, 64); err == nil {
			return number, ""
		}
		return nil, expected
	case VariableTypeBoolean:
		switch strings.TrimSpace(scalar(value)) {
		case "true":
			return true, ""
		case "false":
			return false, ""
		}
		return nil, expected
	case VariableTypeList, VariableTypeCidrList:
		list, ok := list(value)
		if !ok {
			return nil, expected
		}
		if kind == VariableTypeCidrList {
			for _, item := range list {
				if _, err := netip.ParsePrefix(item); err != nil {
					return nil, fmt.Sprintf("`%s` is not an IP range such as 192.168.0.0/16", item)
				}
			}
		}
		return list, ""
	case VariableTypeJson:
		if text, ok := value.(string); ok {
			var parsed any
			if json.Unmarshal([]byte(text), &parsed) == nil {
				return parsed, ""
			}
		}
		return value, ""
	default:
		return value, ""
	}
}

// Scalars are text, so that --set version=1.33 works however it was parsed on the way.
func text(value any) (string, bool) {
	switch value.(type) {
	case string, json.Number, bool, int, int64, float64:
		return scalar(value), true
	}
	return "", false
}

func scalar(value any) string {
	switch value := value.(type) {
	case string, json.Number, bool, int, int64, float64:
		return fmt.Sprint(value)
	}
	return ""
}

func list(value any) ([]string, bool) {
	switch value := value.(type) {
	case []string:
		return value, true
	case []any:
		items := make([]string, 0, len(value))
		for _, item := range value {
			text, ok := item.(string)
			if !ok {
				return nil, false
			}
			items = append(items, text)
		}
		return items, true
	case string:
		return listOfText(strings.TrimSpace(value))
	}
	return nil, false
}

func listOfText(text string) ([]string, bool) {
	if strings.HasPrefix(text, "[") {
		var items []string
		return items, json.Unmarshal([]byte(text), &items) == nil
	}
	items := []string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			items = append(items, part)
		}
	}
	return items, true
}

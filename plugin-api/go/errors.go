package pivotplugin

import "fmt"

// Error makes PluginError an error: return it to say more than a message.
func (e *PluginError) Error() string { return e.Message }

// Unsupported says that the management cluster serves nothing that the plugin can use.
func Unsupported(message, hint string) error {
	return &PluginError{Code: ErrorCodeUnsupported, Message: message, Hint: hint}
}

// Invalid says that a variable has a value that is not allowed, for checks that a type cannot express.
func Invalid(variable Variable, why string) error {
	return &PluginError{
		Code:     ErrorCodeInvalidVariable,
		Message:  fmt.Sprintf("variable `%s`: %s", variable.Name, why),
		Variable: variable.Name,
		Hint:     whereToSet(variable),
	}
}

func whereToSet(variable Variable) string {
	hint := fmt.Sprintf("set it with `--set %s=VALUE`", variable.Name)
	if variable.Env != "" {
		hint += " or the environment variable " + variable.Env
	}
	return hint
}

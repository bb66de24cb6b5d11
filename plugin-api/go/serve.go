package pivotplugin

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Serve answers the host for an infrastructure plugin until standard input ends. It is all that main
// has to call.
func Serve(plugin Infrastructure) { serveProcess(infrastructure{plugin}) }

// ServeNetwork is Serve for a network plugin.
func ServeNetwork(plugin Network) { serveProcess(network{plugin}) }

// dispatcher answers one method.
type dispatcher interface {
	answer(method string, request json.RawMessage) (any, error)
}

func serveProcess(plugin dispatcher) {
	answers := os.Stdout
	// What a plugin prints would be taken for an answer.
	os.Stdout = os.Stderr
	if err := serve(plugin, os.Stdin, answers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve answers each line of in with a line of out.
func serve(plugin dispatcher, in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := reply(plugin, line, out); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func reply(plugin dispatcher, line []byte, out io.Writer) error {
	written, err := encode(contain(plugin, line))
	if err != nil {
		return fmt.Errorf("the answer cannot be written as JSON: %w", err)
	}
	_, err = out.Write(written)
	return err
}

// contain turns a panic into an error.
func contain(plugin dispatcher, line []byte) (answered ProgramReply) {
	defer func() {
		if what := recover(); what != nil {
			message := fmt.Sprintf("the plugin panicked: %v", what)
			answered = ProgramReply{Error: &PluginError{Code: ErrorCodePanic, Message: message}}
		}
	}()
	var call struct {
		Method  string          `json:"method"`
		Request json.RawMessage `json:"request"`
	}
	if err := json.Unmarshal(line, &call); err != nil {
		return ProgramReply{Error: invalidRequest(err)}
	}
	answer, err := plugin.answer(call.Method, call.Request)
	if err == nil {
		return ProgramReply{Answer: answer}
	}
	var said *PluginError
	if !errors.As(err, &said) {
		said = &PluginError{Code: ErrorCodeInternal, Message: err.Error()}
	}
	return ProgramReply{Error: said}
}

func encode(answered ProgramReply) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	// Encode ends it with the line break.
	err := encoder.Encode(answered)
	return line.Bytes(), err
}

func invalidRequest(err error) *PluginError {
	return &PluginError{Code: ErrorCodeInvalidRequest, Message: "cannot read the request: " + err.Error()}
}

func unknownMethod(method string) error {
	message := fmt.Sprintf("this plugin (protocol %s) has no method `%s`", Protocol, method)
	return &PluginError{Code: ErrorCodeUnknownMethod, Message: message}
}

// read decodes a request. Numbers keep their digits.
func read(request json.RawMessage, into any) error {
	// The rest of JSON would leave the request as it is.
	if !bytes.HasPrefix(bytes.TrimSpace(request), []byte("{")) {
		return invalidRequest(errors.New("it is not an object"))
	}
	decoder := json.NewDecoder(bytes.NewReader(request))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return invalidRequest(err)
	}
	return nil
}

// listed is a list that is never null.
func listed[T any](list []T, err error) (any, error) {
	if list == nil {
		list = []T{}
	}
	return list, err
}

// What an author cannot get wrong, because it is not theirs to say.
func stamp(info PluginInfo, kind PluginKind) PluginInfo {
	info.Kind, info.Protocol = kind, Protocol
	return info
}

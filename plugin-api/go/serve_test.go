package pivotplugin

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

type potato struct{}

func (potato) Info() PluginInfo { return PluginInfo{Name: "potato", Version: "1.0.0"} }

func (potato) Variables() []Variable {
	return []Variable{
		{Name: "count", Type: VariableTypeInteger, Default: 3, Minimum: Int(1)},
		{Name: "token", Type: VariableTypeString, Required: true, Secret: true, Choices: []string{"a"}},
		{Name: "ranges", Type: VariableTypeCidrList},
	}
}

func (potato) Providers(Cluster) (ProvidersToInit, error) { return Kubeadm("potato"), nil }

func (potato) Render(cluster Cluster) (Manifests, error) {
	switch cluster.Name {
	case "panic":
		panic("asked to")
	case "fail":
		return Manifests{}, errors.New("not today")
	}
	return Manifests{Notes: []string{cluster.Namespace}, Objects: []any{cluster.Values}}, nil
}

func (potato) Addons(about Extended) (Addons, error) {
	if about.Cluster.Name == "bare" {
		return Addons{}, nil
	}
	plan := AddonPlan{Method: "manifests", Objects: []any{about.Values}}
	return Addons{Addons: []Addon{{Name: "cloud", Plan: plan}}}, nil
}

func (potato) Moving(MoveRequest) (MoveKnowledge, error) {
	pause := &PauseAnnotation{Name: "potato.example.io/paused"}
	return MoveKnowledge{Kinds: []MovedKind{{
		Group: "potato.example.io", Kind: "Field", Pause: pause, CarriesStatus: true,
	}}}, nil
}

// ask sends one line and returns the line that comes back.
func ask(t *testing.T, line string) map[string]any {
	t.Helper()
	var out strings.Builder
	if err := serve(infrastructure{potato{}}, strings.NewReader(line), &out); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n") != 1 || !strings.HasSuffix(out.String(), "\n") {
		t.Fatalf("not one line: %q", out.String())
	}
	var answered map[string]any
	if err := json.Unmarshal([]byte(out.String()), &answered); err != nil {
		t.Fatal(err)
	}
	return answered
}

func TestACallIsALineAndSoIsItsAnswer(t *testing.T) {
	for line, wanted := range map[string]string{
		`{"method":"info","request":{"host":{"protocol":"1.9"}}}`:                                                                  `{"answer":{"name":"potato","version":"1.0.0","kind":"infrastructure","protocol":"1.3"}}`,
		`{"method":"addons","request":{"cluster":{"name":"a"},"variables":{"token":"a"}}}`:                                         `{"answer":{"addons":[{"name":"cloud","plan":{"method":"manifests","objects":[{"count":3,"token":"a"}]}}]}}`,
		`{"method":"addons","request":{"cluster":{"name":"bare"},"variables":{"token":"a"}}}`:                                      `{"answer":{}}`,
		`{"method":"move","request":{"served":[]}}`:                                                                                `{"answer":{"kinds":[{"group":"potato.example.io","kind":"Field","pause":{"name":"potato.example.io/paused"},"carriesStatus":true}]}}`,
		`{"method":"probes","request":{}}`:                                                                                         `{"answer":[]}`,
		`{"method":"bootstrap","request":{"name":"a","variables":{"token":"a"}}}`:                                                  `{"answer":{}}`,
		`{"method":"render","request":{"name":"a","variables":{"token":"a","count":"5","ranges":"10.0.0.0/8, fd00::/8"},"new":1}}`: `{"answer":{"notes":["default"],"objects":[{"count":5,"token":"a","ranges":["10.0.0.0/8","fd00::/8"]}]}}`,
	} {
		var expected map[string]any
		if err := json.Unmarshal([]byte(wanted), &expected); err != nil {
			t.Fatal(err)
		}
		found, _ := json.Marshal(ask(t, line))
		if text, _ := json.Marshal(expected); string(text) != string(found) {
			t.Errorf("%s\nanswers %s\nand not %s", line, found, text)
		}
	}
}

func TestMistakesHaveACodeAndAHint(t *testing.T) {
	const render = `{"method":"render","request":{"name":"NAME","variables":VARIABLES}}`
	for _, at := range []struct{ name, variables, code, message string }{
		{"a", `{}`, "missing-variable", "variable `token` is required"},
		{"a", `{"token":"b"}`, "invalid-variable", "expected one of a, got a secret value"},
		{"a", `{"token":"a","count":0}`, "invalid-variable", "0 is less than 1"},
		{"a", `{"token":"a","count":1.5}`, "invalid-variable", "expected a value of type integer"},
		{"a", `{"token":"a","ranges":["10.0.0.0/99"]}`, "invalid-variable", "is not an IP range"},
		{"a", `{"token":"a","mood":1}`, "unknown-variable", "there is no variable `mood`"},
		{"panic", `{"token":"a"}`, "panic", "the plugin panicked: asked to"},
		{"fail", `{"token":"a"}`, "internal", "not today"},
	} {
		line := strings.NewReplacer("NAME", at.name, "VARIABLES", at.variables).Replace(render)
		said, _ := ask(t, line)["error"].(map[string]any)
		message, _ := said["message"].(string)
		if said["code"] != at.code || !strings.Contains(message, at.message) {
			t.Errorf("%s: %v", line, said)
		}
		if _, ok := said["hint"]; !ok && strings.HasSuffix(at.code, "-variable") {
			t.Errorf("%s: no hint", line)
		}
	}
	for line, code := range map[string]string{
		`{"method":"plan","request":{}}`:     "unknown-method",
		`{"method":"render","request":null}`: "invalid-request",
		`{"method":"render","request":[1]}`:  "invalid-request",
		`nonsense`:                           "invalid-request",
	} {
		if said, _ := ask(t, line)["error"].(map[string]any); said["code"] != code {
			t.Errorf("%s: %v", line, said)
		}
	}
}

func TestAHostThatDoesNotSayItSpeaksTheFirstVersion(t *testing.T) {
	for protocol, speaks := range map[string]bool{"": false, "1.0": false, "1.1": true, "1.10": true, "2.1": false, "x": false} {
		if (Host{Protocol: protocol}).Speaks(1, 1) != speaks {
			t.Errorf("%q", protocol)
		}
	}
}

type mash struct{}

func (mash) Info() PluginInfo { return PluginInfo{Name: "mash"} }

func (mash) Variables() []Variable { return nil }

func (mash) Plan(NetworkRequest) (CniInstall, error) {
	values := map[string]any{"ipam": map[string]any{"mode": "own", "size": 24}}
	return CniInstall{Plan: HelmChartPlan(HelmChart{Chart: "mash", Values: values})}, nil
}

func TestTheValuesOfTheUserAreNeverLost(t *testing.T) {
	var out strings.Builder
	line := `{"method":"plan","request":{"values":{"mtu":1400,"ipam":{"mode":"user"}}}}`
	if err := serve(network{mash{}}, strings.NewReader(line), &out); err != nil {
		t.Fatal(err)
	}
	wanted := `"values":{"ipam":{"mode":"user","size":24},"mtu":1400}`
	if !strings.Contains(out.String(), wanted) {
		t.Errorf("%s does not have %s", out.String(), wanted)
	}
}

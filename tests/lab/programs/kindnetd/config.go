package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
)

const (
	configFile = "/etc/cni/net.d/10-kindnet.conflist"
	newFile    = configFile + ".new"
)

type object = map[string]any

// config is the CNI configuration of a node with this pod range.
func config(pods string) ([]byte, error) {
	ranges := []any{[]any{object{"subnet": pods}}}
	ipam := object{
		"type":    "host-local",
		"dataDir": "/run/cni-ipam-state",
		"routes":  []any{object{"dst": "0.0.0.0/0"}},
		"ranges":  ranges,
	}
	return json.MarshalIndent(object{
		"cniVersion": "0.3.1",
		"name":       "kindnet",
		"plugins": []any{
			object{"type": "ptp", "ipMasq": true, "mtu": 1500, "ipam": ipam},
			object{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	}, "", "  ")
}

// writeConfig leaves a file alone that is already as it should be.
func writeConfig(pods string) error {
	wanted, err := config(pods)
	if err != nil {
		return err
	}
	present, err := os.ReadFile(configFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if bytes.Equal(present, wanted) {
		return nil
	}
	if err := os.WriteFile(newFile, wanted, 0o644); err != nil {
		return err
	}
	return os.Rename(newFile, configFile)
}

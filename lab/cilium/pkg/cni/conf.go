// Package cni tells the container runtime how pods get their network.
package cni

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

const (
	folder   = "/etc/cni/net.d"
	fileName = "05-cilium.conflist"
	backup   = ".cilium_bak"
)

type object = map[string]any

// conf uses plugins that every Kubernetes node has: a pair of interfaces for each pod, addresses
// out of the node's own ranges.
func conf(cidrs []netip.Prefix, mtu int) ([]byte, error) {
	ranges := make([][]object, 0, len(cidrs))
	for _, cidr := range cidrs {
		ranges = append(ranges, []object{{"subnet": cidr}})
	}
	return json.MarshalIndent(object{
		"cniVersion": "0.4.0",
		"name":       "cilium",
		"plugins": []object{
			{
				"type": "ptp",
				"mtu":  mtu,
				"ipam": object{"type": "host-local", "ranges": ranges, "routes": []object{{"dst": "0.0.0.0/0"}}},
			},
			{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	}, "", "  ")
}

// Install writes our file when it is not as it should be. With exclusive, the files of others get
// another name, so that the runtime sees only ours.
func Install(cidrs []netip.Prefix, mtu int, exclusive bool) error {
	wanted, err := conf(cidrs, mtu)
	if err != nil {
		return err
	}
	path := filepath.Join(folder, fileName)
	if found, err := os.ReadFile(path); err != nil || !bytes.Equal(found, wanted) {
		if err := replace(path, wanted); err != nil {
			return err
		}
		slog.Info("CNI configuration written", "file", path, "podCIDRs", cidrs, "mtu", mtu)
	}
	if exclusive {
		return setAside(folder)
	}
	return nil
}

// replace never shows the runtime half a file.
func replace(path string, content []byte) error {
	part := path + ".part"
	if err := os.WriteFile(part, content, 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}

func setAside(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !isForeign(entry.Name()) {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		slog.Info("CNI configuration of another is set aside", "file", path)
		if err := os.Rename(path, path+backup); err != nil {
			return err
		}
	}
	return nil
}

func isForeign(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".conf", ".conflist", ".json":
		return name != fileName
	}
	return false
}

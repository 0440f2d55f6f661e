// Package config reads cilium-config: one file for each key, as a mounted ConfigMap has them.
package config

import (
	"os"
	"path/filepath"
	"strings"
)

// Map holds the values of cilium-config by key.
type Map map[string]string

// ReadDir reads a folder that has one file for each key. Hidden files (a mounted ConfigMap has
// some) and folders are no keys.
func ReadDir(dir string) (Map, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	values := Map{}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if info, err := os.Stat(path); strings.HasPrefix(entry.Name(), ".") || err != nil || info.IsDir() {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		values[entry.Name()] = strings.TrimSpace(string(text))
	}
	return values, nil
}

// WriteDir writes one file for each key and removes every other file of the folder.
func WriteDir(dir string, values Map) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for key, value := range values {
		if err := os.WriteFile(filepath.Join(dir, key), []byte(value), 0o644); err != nil {
			return err
		}
	}
	return nil
}

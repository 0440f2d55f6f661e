// Writes the CNI configuration that goes with flanneld: the plugins that every node has, with the
// subnet and MTU that flanneld leased. It stands where Flannel has a CNI plugin of its own, which
// does the same at every start of a pod.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	leased = "/run/flannel/subnet.env"
	file   = "/etc/cni/net.d/10-flannel.conflist"
)

type object = map[string]any

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, os.Interrupt)
	written := ""
	for {
		if lease, err := os.ReadFile(leased); err == nil && string(lease) != written {
			if err := write(settings(string(lease))); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			written = string(lease)
			fmt.Println("written:", file)
		}
		select {
		case <-ended:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func settings(text string) map[string]string {
	found := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if key, value, ok := strings.Cut(line, "="); ok {
			found[key] = value
		}
	}
	return found
}

// write never shows the runtime half a file.
func write(lease map[string]string) error {
	mtu, err := strconv.Atoi(lease["FLANNEL_MTU"])
	if err != nil {
		return fmt.Errorf("%s: %w", leased, err)
	}
	subnet := strings.Replace(lease["FLANNEL_SUBNET"], ".1/", ".0/", 1)
	text, err := json.MarshalIndent(object{
		"cniVersion": "0.4.0",
		"name":       "cbr0",
		"plugins": []object{
			{
				"type": "bridge", "bridge": "cni0", "mtu": mtu, "isGateway": true, "hairpinMode": true,
				"ipam": object{
					"type":   "host-local",
					"ranges": [][]object{{{"subnet": subnet}}},
					"routes": []object{{"dst": "0.0.0.0/0"}},
				},
			},
			{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file+".part", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}

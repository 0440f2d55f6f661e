// The agent of the sample tree: it attaches XDP programs, makes the VXLAN device, and gives the
// pods of its node a network. README.md says what it leaves out.
package main

import (
	"context"
	"errors"
	"os"

	"k8s.io/client-go/dynamic"

	"lab.ciliumship.dev/cilium/pkg/config"
	"lab.ciliumship.dev/cilium/pkg/program"
	"lab.ciliumship.dev/cilium/pkg/status"
	"lab.ciliumship.dev/cilium/pkg/version"
)

// What is attached and made stays when the agent ends: the data path outlives it.
func main() {
	program.Main("agent", version.Banner, work)
}

// work prepares the node, answers, and keeps up with the other nodes.
func work(ctx context.Context, settings config.Config, api dynamic.Interface) error {
	if settings.CrashOnStart != "" {
		return errors.New(settings.CrashOnStart)
	}
	failed := make(chan error, 8)
	a := &agent{settings: settings, api: api, name: os.Getenv("K8S_NODE_NAME"), failed: failed}
	a.message.Store("waiting for the API server")
	if err := status.Serve(a, failed); err != nil {
		return err
	}
	go func() { failed <- a.work(ctx) }()
	return program.Wait(ctx, failed)
}

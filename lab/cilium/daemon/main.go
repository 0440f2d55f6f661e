// The agent of the sample tree: it attaches XDP programs, makes the VXLAN device, and gives the
// pods of its node a network. README.md says what it leaves out.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"lab.ciliumship.dev/cilium/pkg/config"
	"lab.ciliumship.dev/cilium/pkg/k8s"
	"lab.ciliumship.dev/cilium/pkg/status"
	"lab.ciliumship.dev/cilium/pkg/version"
)

func main() {
	dir := flag.String("config-dir", "/tmp/cilium/config-map", "folder with one file for each key")
	flag.Parse()
	slog.Info(version.Banner, "version", version.String())

	// What is attached and made stays when the agent ends: the data path outlives it.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *dir); ctx.Err() == nil {
		slog.Error("the agent ends", "error", err)
		os.Exit(1)
	}
	slog.Info("told to end")
}

// run prepares the node, answers, and keeps up with the other nodes until something fails or ctx
// ends.
func run(ctx context.Context, dir string) error {
	values, err := config.ReadDir(dir)
	if err != nil {
		return err
	}
	settings, err := config.Parse(values)
	if err != nil {
		return err
	}
	if settings.CrashOnStart != "" {
		return errors.New(settings.CrashOnStart)
	}
	api, err := k8s.NewClient()
	if err != nil {
		return err
	}
	failed := make(chan error, 8)
	a := &agent{settings: settings, api: api, name: os.Getenv("K8S_NODE_NAME"), failed: failed}
	a.message.Store("waiting for the API server")
	if err := status.Serve(a, failed); err != nil {
		return err
	}
	go func() { failed <- a.work(ctx) }()
	select {
	case err = <-failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

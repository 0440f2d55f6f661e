// Package program is what agent and operator have in common: settings from a folder, a client of the
// API server, and an end when they are told.
package program

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/dynamic"

	"lab.ciliumship.dev/cilium/pkg/config"
	"lab.ciliumship.dev/cilium/pkg/k8s"
	"lab.ciliumship.dev/cilium/pkg/version"
)

// Work is done until something fails or ctx ends.
type Work func(ctx context.Context, settings config.Config, api dynamic.Interface) error

// Main does the work. What ends by itself ends with 1 and says why.
func Main(name, greeting string, work Work) {
	dir := flag.String("config-dir", "/tmp/cilium/config-map", "folder with one file for each key")
	flag.Parse()
	slog.Info(greeting, "version", version.String())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := prepare(ctx, *dir, work); ctx.Err() == nil {
		slog.Error("the "+name+" ends", "error", err)
		os.Exit(1)
	}
	slog.Info("told to end")
}

func prepare(ctx context.Context, dir string, work Work) error {
	values, err := config.ReadDir(dir)
	if err != nil {
		return err
	}
	settings, err := config.Parse(values)
	if err != nil {
		return err
	}
	api, err := k8s.NewClient()
	if err != nil {
		return err
	}
	return work(ctx, settings, api)
}

// Wait is for the first failure, or for the end of ctx.
func Wait(ctx context.Context, failed <-chan error) error {
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

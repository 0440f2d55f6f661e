// The operator of the sample tree: it makes the custom resource definitions and gives every node a
// range of pod addresses.
package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"k8s.io/client-go/dynamic"

	"lab.ciliumship.dev/cilium/pkg/config"
	"lab.ciliumship.dev/cilium/pkg/k8s/apis/cilium.io/client"
	"lab.ciliumship.dev/cilium/pkg/nodes"
	"lab.ciliumship.dev/cilium/pkg/program"
)

const (
	healthzAddress = "127.0.0.1:9234"
	interval       = time.Second
)

func main() {
	program.Main("operator", "operator starts", work)
}

func work(ctx context.Context, settings config.Config, api dynamic.Interface) error {
	if err := readWatcherInterval(settings.PodWatcherInterval); err != nil {
		return err
	}
	var ready atomic.Bool
	failed := make(chan error, 1)
	go func() { failed <- http.ListenAndServe(healthzAddress, healthz(&ready)) }()
	go keepUp(ctx, api, settings, &ready)
	return program.Wait(ctx, failed)
}

// keepUp looks again and again. The definitions are written at the start, and when something fails:
// they may have been deleted.
func keepUp(ctx context.Context, api dynamic.Interface, settings config.Config, ready *atomic.Bool) {
	err := client.Register(ctx, api)
	for ctx.Err() == nil {
		if err == nil {
			err = assign(ctx, api, settings)
		}
		if err != nil {
			slog.Warn("tried in vain", "error", err)
			err = client.Register(ctx, api)
		} else if !ready.Swap(true) {
			slog.Info("ready")
		}
		select {
		case <-ctx.Done():
		case <-time.After(interval):
		}
	}
}

// assign gives a range to every CiliumNode that has none.
func assign(ctx context.Context, api dynamic.Interface, settings config.Config) error {
	all, err := nodes.List(ctx, api)
	if err != nil {
		return err
	}
	var used []netip.Prefix
	for _, node := range all {
		used = append(used, node.PodCIDRs...)
	}
	for _, node := range all {
		if len(node.PodCIDRs) > 0 {
			continue
		}
		cidr, err := nodes.Allocate(settings.PodCIDRs, settings.PodMaskSize, used)
		if err != nil {
			return err
		}
		if err := nodes.AddPodCIDR(ctx, api, node.Name, cidr); err != nil {
			return err
		}
		slog.Info("range assigned", "node", node.Name, "podCIDR", cidr)
		used = append(used, cidr)
	}
	return nil
}

func healthz(ready *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	})
}

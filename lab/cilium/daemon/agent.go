package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netlink"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"lab.ciliumship.dev/cilium/pkg/cni"
	"lab.ciliumship.dev/cilium/pkg/config"
	"lab.ciliumship.dev/cilium/pkg/k8s"
	"lab.ciliumship.dev/cilium/pkg/nodes"
	"lab.ciliumship.dev/cilium/pkg/version"
	"lab.ciliumship.dev/cilium/pkg/vxlan"
)

// How often the agent looks what the others do, before its first success and after.
const (
	impatient = 250 * time.Millisecond
	interval  = 2 * time.Second
)

type agent struct {
	settings config.Config
	api      dynamic.Interface
	name     string
	failed   chan<- error

	// Read by those who ask, from other goroutines.
	devices atomic.Pointer[[]string]
	known   atomic.Pointer[[]nodes.Node]
	ready   atomic.Bool
	message atomic.Value // string: what it waits for
}

// datapath is what `prepare` has made and `sync` works with.
type datapath struct {
	node    *unstructured.Unstructured
	address netip.Addr
	vxlan   netlink.Link
	mtu     int
}

// work makes the data path once (any error ends the agent) and then keeps it up to date (errors are
// logged: what is there goes on working).
func (a *agent) work(ctx context.Context) error {
	node, err := a.ownNode(ctx)
	if err != nil {
		return err
	}
	path, err := a.prepare(node)
	if err != nil {
		return err
	}
	for pause := impatient; ctx.Err() == nil; wait(ctx, pause) {
		if err := a.sync(ctx, path); err != nil {
			a.warn(err)
			continue
		}
		pause = interval
		a.message.Store("")
		if !a.ready.Swap(true) {
			slog.Info("ready", "podCIDRs", a.own().PodCIDRs, "nodes", len(*a.known.Load()))
			if a.settings.FailAfter > 0 {
				time.AfterFunc(a.settings.FailAfter, func() { a.failed <- errors.New("fail-after is over") })
			}
		}
	}
	return ctx.Err()
}

// warn logs what is new.
func (a *agent) warn(err error) {
	if a.message.Swap(err.Error()) != err.Error() {
		slog.Warn("not in step with the cluster", "error", err)
	}
}

// ownNode waits for the API server as long as it takes.
func (a *agent) ownNode(ctx context.Context) (*unstructured.Unstructured, error) {
	for {
		node, err := a.api.Resource(k8s.Nodes).Get(ctx, a.name, metav1.GetOptions{})
		if err == nil || ctx.Err() != nil {
			return node, err
		}
		slog.Warn("waiting for the API server", "error", err)
		wait(ctx, time.Second)
	}
}

func (a *agent) prepare(node *unstructured.Unstructured) (datapath, error) {
	address, err := nodes.InternalIP(node)
	if err != nil {
		return datapath{}, err
	}
	devices, err := findDevices(a.settings.Devices, address)
	if err != nil {
		return datapath{}, err
	}
	names := deviceNames(devices)
	a.devices.Store(&names)
	if err := accelerate(a.settings, devices); err != nil {
		return datapath{}, err
	}
	mtu := a.settings.MTU
	if mtu == 0 {
		mtu = devices[0].Attrs().MTU - vxlan.Overhead
	}
	slog.Info("data path", "version", version.String(), "devices", names, "address", address, "mtu", mtu)
	device, err := vxlan.Ensure(address, mtu)
	return datapath{node: node, address: address, vxlan: device, mtu: mtu}, err
}

func (a *agent) sync(ctx context.Context, path datapath) error {
	if err := nodes.Ensure(ctx, a.api, path.node, path.address); err != nil {
		return fmt.Errorf("own CiliumNode: %w", err)
	}
	known, err := nodes.List(ctx, a.api)
	if err != nil {
		return err
	}
	a.known.Store(&known)
	own := a.own()
	if len(own.PodCIDRs) == 0 {
		return errors.New("waiting for the operator to give this node a pod CIDR")
	}
	if err := vxlan.Sync(path.vxlan, own.PodCIDRs[0], a.others()); err != nil {
		return err
	}
	return cni.Install(own.PodCIDRs, path.mtu, a.settings.CNIExclusive)
}

func (a *agent) own() nodes.Node {
	for _, node := range a.all() {
		if node.Name == a.name {
			return node
		}
	}
	return nodes.Node{Name: a.name}
}

func (a *agent) others() []nodes.Node {
	var others []nodes.Node
	for _, node := range a.all() {
		if node.Name != a.name && node.Address.IsValid() {
			others = append(others, node)
		}
	}
	return others
}

func (a *agent) all() []nodes.Node {
	if known := a.known.Load(); known != nil {
		return *known
	}
	return nil
}

func wait(ctx context.Context, duration time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(duration):
	}
}

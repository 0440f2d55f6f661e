package main

import (
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/vishvananda/netlink"

	"lab.ciliumship.dev/cilium/pkg/config"
	"lab.ciliumship.dev/cilium/pkg/xdp"
)

// findDevices finds the interfaces of these names, or, without names, the one with the address.
func findDevices(names []string, address netip.Addr) ([]netlink.Link, error) {
	if len(names) == 0 {
		return deviceOf(address)
	}
	var found []netlink.Link
	for _, name := range names {
		device, err := netlink.LinkByName(name)
		if err != nil {
			return nil, fmt.Errorf("device %s: %w", name, err)
		}
		found = append(found, device)
	}
	return found, nil
}

func deviceOf(address netip.Addr) ([]netlink.Link, error) {
	entries, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if entry.IP.Equal(address.AsSlice()) {
			device, err := netlink.LinkByIndex(entry.LinkIndex)
			return []netlink.Link{device}, err
		}
	}
	return nil, fmt.Errorf("no device has the node's address %s", address)
}

// accelerate brings the XDP program onto the devices and takes it away from all others.
func accelerate(settings config.Config, devices []netlink.Link) error {
	mode := wantedMode(settings)
	if mode == xdp.None {
		return xdp.DetachOthers(nil)
	}
	verdict := xdp.Pass
	if settings.DropAll {
		verdict = xdp.Drop
	}
	for _, device := range devices {
		err := xdp.Attach(device, mode, verdict)
		if err != nil && settings.Acceleration == config.BestEffort {
			slog.Warn("going on without acceleration", "device", device.Attrs().Name, "error", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return xdp.DetachOthers(deviceNames(devices))
}

func wantedMode(settings config.Config) xdp.Mode {
	// BEGIN vxlanAcceleration
	if settings.VXLANAcceleration && settings.Acceleration == config.Disabled {
		return xdp.Native
	}
	// END vxlanAcceleration
	switch settings.Acceleration {
	case config.Native, config.BestEffort:
		return xdp.Native
	case config.TestingOnly:
		return xdp.Generic
	}
	return xdp.None
}

func deviceNames(devices []netlink.Link) []string {
	names := make([]string, 0, len(devices))
	for _, device := range devices {
		names = append(names, device.Attrs().Name)
	}
	return names
}

// Package vxlan makes cilium_vxlan and the ways over it to the pods of other nodes.
package vxlan

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

const (
	// Name of the device.
	Name = "cilium_vxlan"
	// Overhead is what VXLAN adds to each packet, in bytes.
	Overhead = 50

	identifier = 2
	port       = 8472
)

// Ensure makes the device, or corrects one that is there: another MTU is set, and a device that
// could never talk to the other nodes is made anew.
func Ensure(address netip.Addr, mtu int) (netlink.Link, error) {
	wanted := &netlink.Vxlan{
		LinkAttrs: netlink.LinkAttrs{Name: Name, MTU: mtu, HardwareAddr: hardwareAddress(address)},
		VxlanId:   identifier,
		SrcAddr:   address.AsSlice(),
		Port:      port,
	}
	found, err := netlink.LinkByName(Name)
	if err == nil && !fits(found, wanted) {
		slog.Info("device is made anew", "device", Name)
		err = netlink.LinkDel(found)
		found = nil
	}
	if _, missing := err.(netlink.LinkNotFoundError); err != nil && !missing {
		return nil, err
	}
	if found == nil {
		if err := netlink.LinkAdd(wanted); err != nil {
			return nil, fmt.Errorf("making %s: %w", Name, err)
		}
		found = wanted
	}
	return found, adjust(found, mtu)
}

func adjust(device netlink.Link, mtu int) error {
	if device.Attrs().MTU != mtu {
		slog.Info("MTU is corrected", "device", Name, "from", device.Attrs().MTU, "to", mtu)
	}
	if err := netlink.LinkSetMTU(device, mtu); err != nil {
		return fmt.Errorf("MTU %d of %s: %w", mtu, Name, err)
	}
	return netlink.LinkSetUp(device)
}

func fits(found netlink.Link, wanted *netlink.Vxlan) bool {
	device, ok := found.(*netlink.Vxlan)
	return ok && device.VxlanId == wanted.VxlanId && device.Port == wanted.Port &&
		device.SrcAddr.Equal(wanted.SrcAddr) && device.HardwareAddr.String() == wanted.HardwareAddr.String()
}

// hardwareAddress follows from the node's address, so that nobody needs to be told.
func hardwareAddress(node netip.Addr) net.HardwareAddr {
	bytes := node.As4()
	return append(net.HardwareAddr{0x02, 0xc1}, bytes[:]...)
}
